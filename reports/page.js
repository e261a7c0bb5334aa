"use strict";
(function () {
  // The table of contents stands open beside the text and closed above it.
  const contents = document.querySelector(".toc details");
  if (contents) {
    const beside = matchMedia("(min-width: 68rem)");
    const settle = () => { contents.open = beside.matches; };
    beside.addEventListener("change", settle);
    settle();
    contents.addEventListener("click", (event) => {
      if (!beside.matches && event.target.closest("a")) contents.open = false;
    });
  }

  // The contents mark the part that one reads: the last whose heading is near the top, or above.
  const parts = [...document.querySelectorAll('.toc a[href^="#"]')]
    .map((link) => ({ link, heading: document.getElementById(link.hash.slice(1)) }))
    .filter((part) => part.heading);
  const mark = () => {
    const above = parts.filter((part) => part.heading.getBoundingClientRect().top < 120);
    const here = above.length ? above[above.length - 1] : null;
    for (const part of parts) {
      if (part === here) part.link.setAttribute("aria-current", "true");
      else part.link.removeAttribute("aria-current");
    }
  };
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; mark(); });
  }, { passive: true });
  mark();

  // Tabs, after the pattern of the WAI-ARIA Authoring Practices.
  for (const tabset of document.querySelectorAll(".tabset")) {
    const panels = [...tabset.querySelectorAll(":scope > .tab-panel")];
    const list = document.createElement("div");
    list.setAttribute("role", "tablist");
    const tabs = panels.map((panel) => {
      const tab = document.createElement("button");
      tab.type = "button";
      tab.id = panel.id + "-tab";
      tab.append(...panel.querySelector(".tab-title").cloneNode(true).childNodes);
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", panel.id);
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", tab.id);
      list.append(tab);
      return tab;
    });
    const select = (chosen) => tabs.forEach((tab, index) => {
      tab.setAttribute("aria-selected", String(index === chosen));
      tab.tabIndex = index === chosen ? 0 : -1;
      panels[index].classList.toggle("tab-hidden", index !== chosen);
    });
    tabs.forEach((tab, index) => tab.addEventListener("click", () => select(index)));
    list.addEventListener("keydown", (event) => {
      const now = tabs.indexOf(document.activeElement);
      const next = {
        ArrowLeft: (now - 1 + tabs.length) % tabs.length,
        ArrowRight: (now + 1) % tabs.length,
        Home: 0,
        End: tabs.length - 1,
      }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      select(next);
      tabs[next].focus();
    });
    tabset.prepend(list);
    tabset.classList.add("tabset-live");
    select(0);
  }

  // A link may lead into a tab that is not shown, or into a part that is folded.
  const reveal = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (!target) return;
    const panel = target.closest(".tab-hidden");
    if (panel) document.getElementById(panel.id + "-tab").click();
    let folded = target.closest("details:not([open])");
    if (panel || folded) {
      for (; folded; folded = target.closest("details:not([open])")) folded.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
