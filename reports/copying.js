"use strict";
(function () {
  // What is to be copied gets a button, which says to all readers whether it worked.
  for (const part of document.querySelectorAll(".copy")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `Copy ${kind(part)}`;
    const status = document.createElement("span");
    status.setAttribute("role", "status");
    const bar = document.createElement("div");
    bar.className = "copy-bar";
    bar.append(button, " ", status);
    part.prepend(bar);
    button.addEventListener("click", async () => {
      status.textContent = "";
      try {
        await navigator.clipboard.write([new ClipboardItem(contents(part))]);
        status.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(body(part));
        status.textContent = "Selected; copy it with Ctrl+C or ⌘C";
      }
    });
  }

  function kind(part) {
    const names = { PRE: "code", TABLE: "table" };
    return names[body(part).tagName] || "text";
  }

  function body(part) {
    return part.querySelector("pre, table") || part;
  }

  // Text with its italics, and tables as such, for a word processor; plain text for all else.
  function contents(part) {
    const chosen = body(part).cloneNode(true);
    for (const bar of chosen.querySelectorAll(".copy-bar")) bar.remove();
    const blob = (text, type) => new Blob([text], { type });
    if (chosen.matches("pre")) return { "text/plain": blob(chosen.textContent, "text/plain") };
    return {
      "text/html": blob(chosen.outerHTML, "text/html"),
      "text/plain": blob(plain(chosen), "text/plain"),
    };
  }

  // Cells apart by tabs, as spreadsheets read them; paragraphs by empty lines.
  function plain(chosen) {
    const text = (node) => node.textContent.replace(/\s+/g, " ").trim();
    if (chosen.matches("table")) {
      return [...chosen.rows].map((row) => [...row.cells].map(text).join("\t")).join("\n");
    }
    return [...chosen.children].map(text).join("\n\n");
  }
})();
