// A subject that is chosen in one figure is shown in all. Figures bring an unseen mark of each
// subject, with its name in `data-subject`, wherever they have a place for it.
const NEAR = 16; // pixels from a mark at which it is meant

// The marks of a figure, each with its straight pieces, in the coordinates of its group.
function marksOf(figure) {
  return [...figure.querySelectorAll("[data-subject]")].map((mark) => {
    const pieces = [];
    if (mark.localName === "use") {
      const at = [Number(mark.getAttribute("x")), Number(mark.getAttribute("y"))];
      pieces.push([at, at]);
    }
    let from = null;
    for (const [, letter, x, y] of (mark.getAttribute("d") ?? "").matchAll(/([ML])\s*(\S+)\s+(\S+)/g)) {
      const to = [Number(x), Number(y)];
      if (letter === "L") pieces.push([from, to]);
      from = to;
    }
    return { mark, subject: mark.dataset.subject, pieces };
  });
}

function distance([x, y], [[ax, ay], [bx, by]]) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1);
  const share = Math.min(1, Math.max(0, along));
  return Math.hypot(x - ax - share * dx, y - ay - share * dy);
}

// The subject whose mark is nearest to a place on the screen, if one is near.
function subjectAt(marks, clientX, clientY) {
  let nearest = null;
  let least = Infinity;
  for (const { mark, subject, pieces } of marks) {
    const toScreen = mark.parentNode.getScreenCTM();
    if (!toScreen || toScreen.a === 0) continue; // of a picture that is not shown
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(toScreen.inverse());
    const away = toScreen.a * Math.min(...pieces.map((piece) => distance([x, y], piece)));
    if (away < Math.min(least, NEAR)) [nearest, least] = [subject, away];
  }
  return nearest;
}

function chooseSubject({ columns, rows }) {
  const figures = [...new Set(
    [...document.querySelectorAll("[data-subject]")].map((mark) => mark.closest("figure")),
  )].map((figure) => ({ figure, marks: marksOf(figure) }));
  const known = new Map(rows.map(([subject, ...values]) => [subject, values]));
  let kept = known.has(inAddress("subject")) ? inAddress("subject") : null;

  const inWords = (values) => {
    if (!values) return ["Point at a subject or choose one: every figure like this shows it."];
    return values.flatMap((value, k) => {
      const number = document.createElement("b");
      number.textContent = value;
      return [`${k ? " · " : ""}${columns[k]} `, number];
    });
  };
  // All keep room for the longest numbers, so that nothing moves while a mouse passes over subjects.
  const longest = columns.map((_, k) => rows.map((row) => row[k + 1])
    .reduce((long, each) => (each.length > long.length ? each : long)));
  const keepRoom = (numbers) => {
    numbers.style.minHeight = "";
    numbers.replaceChildren(...inWords(longest));
    numbers.style.minHeight = `${numbers.getBoundingClientRect().height}px`;
    numbers.replaceChildren(...inWords(known.get(shown)));
  };
  let shown;
  const show = (subject) => {
    if (subject === shown) return;
    shown = subject;
    for (const { marks, choice, numbers } of figures) {
      for (const each of marks) each.mark.setAttribute("opacity", each.subject === subject ? 1 : 0);
      choice.value = subject ?? "";
      numbers.replaceChildren(...inWords(known.get(subject)));
    }
  };
  const keep = (subject) => {
    kept = subject;
    show(kept);
    setInAddress({ subject: kept });
  };

  figures.forEach((each, place) => {
    const { figure, marks } = each;
    const box = document.createElement("div");
    box.className = "choose";
    const label = document.createElement("label");
    label.textContent = "Show subject";
    label.htmlFor = `choose-${place + 1}`;
    each.choice = document.createElement("select");
    each.choice.id = label.htmlFor;
    each.choice.append(new Option("none", ""), ...rows.map(([subject]) => new Option(subject)));
    each.numbers = document.createElement("p");
    box.append(label, each.choice, each.numbers);
    figure.querySelector("figcaption").before(box);
    drawnToFit(each.numbers, () => keepRoom(each.numbers));
    each.choice.addEventListener("change", () => keep(each.choice.value || null));
    // All figures say the same: only the one in use is read out.
    each.choice.addEventListener("focus", () => each.numbers.setAttribute("aria-live", "polite"));
    each.choice.addEventListener("blur", () => each.numbers.removeAttribute("aria-live"));

    for (const picture of figure.querySelectorAll("svg")) {
      picture.addEventListener("pointermove", (event) => {
        if (event.pointerType !== "mouse") return; // a finger that moves scrolls
        show(subjectAt(marks, event.clientX, event.clientY) ?? kept);
      });
      picture.addEventListener("pointerleave", () => show(kept));
      picture.addEventListener("click", (event) => {
        const subject = subjectAt(marks, event.clientX, event.clientY);
        keep(subject === kept ? null : subject);
      });
    }
  });
  show(kept);
}
