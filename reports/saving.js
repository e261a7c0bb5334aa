"use strict";
(function () {
  // A figure can be saved as a file: as on light paper, without marks of what a reader has chosen.
  for (const caption of document.querySelectorAll("figure[id] > figcaption")) {
    const figure = caption.parentElement;
    const drawing = figure.querySelector("svg[role=img]");
    if (!drawing) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "save";
    button.textContent = "Save as SVG";
    button.setAttribute("aria-label", `Save ${caption.textContent.split(":")[0]} as SVG`);
    button.addEventListener("click", () => {
      const link = document.createElement("a");
      link.download = `${figure.id.replace(/^fig-/, "")}.svg`;
      link.href = URL.createObjectURL(new Blob([light(drawing)], { type: "image/svg+xml" }));
      link.click();
      URL.revokeObjectURL(link.href);
    });
    caption.append(" ", button);
  }

  function light(drawing) {
    const copy = drawing.cloneNode(true);
    for (const part of copy.querySelectorAll("style, .subjects")) {
      if (part.matches(".subjects") || part.textContent.includes("prefers-color-scheme")) part.remove();
    }
    return new XMLSerializer().serializeToString(copy);
  }
})();
