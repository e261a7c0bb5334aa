// Numbers, elements and scales that what is drawn in the page has in common.

// To four significant digits, with a true minus, as the report writes numbers.
function significant(value, digits = 4) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const [mantissa, power] = value.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 7) {
    const raised = [...String(exponent)].map((mark) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(mark)]);
    return `${mantissa.replace("-", "−")} × 10${raised.join("")}`;
  }
  return value.toFixed(Math.max(0, digits - 1 - exponent)).replace("-", "−");
}

function svgElement(name, attributes = {}, text = null) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== null) element.textContent = text;
  return element;
}

// An empty picture as wide as its box, in the page's own pixels, so that its words keep their size.
function emptyPicture(box, height, label) {
  const width = Math.max(240, Math.floor(box.clientWidth));
  const picture = svgElement("svg", {
    viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label,
  });
  box.replaceChildren(picture);
  return { picture, width };
}

// Round numbers from low to high, about as many as are wanted, and how each is written.
function ticks(low, high, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((each) => each * power >= rough) ?? 10);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const at = [];
  for (let k = Math.ceil(low / step); k * step <= high; k += 1) at.push(k * step);
  return { at, text: (value) => (value || 0).toFixed(decimals).replace("-", "−") };
}

// Put what the page's words leave open into its places, by name.
function fillIn(section, values) {
  for (const [name, text] of Object.entries(values)) {
    for (const place of section.querySelectorAll(`[data-is="${name}"]`)) place.textContent = text;
  }
}

// Draw now, and again whenever the box gets another width.
function drawnToFit(box, draw) {
  let width = 0;
  new ResizeObserver(() => {
    if (box.clientWidth !== width) {
      width = box.clientWidth;
      draw();
    }
  }).observe(box);
}
