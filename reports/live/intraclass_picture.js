// Sliders between "all variance between" and "all within": what subjects look like, what the
// estimates of variance make of them, and what each mean square is made of. The draws stay the same
// while a slider moves.
const SUBJECTS = { fewest: 2, first: 30, most: 60 }; // of more, columns could not be told apart
const MOST_POINTS = 12; // of a subject, for the same reason

function intraclassPicture(section, model) {
  const { parts, observations } = model;
  const last = parts.length - 1;
  // The variance that a part adds to an observation, on average.
  const adds = parts.map(({ size, at }) => (at ? size / observations : 1));
  const total = Math.sqrt(parts.reduce((sum, { sd }, k) => sum + adds[k] * sd ** 2, 0));
  const names = [...parts.map((_, k) => `sd-${k}`), "subjects"];
  const sliders = names.map((name) => section.querySelector(`input[name=${name}]`));
  const estimated = [...parts.map(({ sd }) => sd), Math.min(model.subjects, SUBJECTS.first)];
  const limits = [
    ...adds.map((each) => [0, (1.25 * total) / Math.sqrt(each)]), [SUBJECTS.fewest, SUBJECTS.most],
  ];
  const box = section.querySelector("[data-picture]");
  let seed = Math.round(numberInAddress("set", 1, 2 ** 31, 1));

  sliders.forEach((slider, k) => {
    const [min, max] = limits[k];
    Object.assign(slider, { min, max, step: k > last ? 1 : max / 250 });
  });
  const set = (values) => values.forEach((value, k) => { sliders[k].value = value; });
  // A slider has steps: where it stands at what is next to an estimate, it means the estimate.
  const value = (k) => {
    const found = Number(sliders[k].value);
    return found === start[k] ? estimated[k] : found;
  };

  const draw = () => {
    const normal = normalDraws(seed);
    const sds = parts.map((_, k) => value(k));
    const squares = new MeanSquares(model);
    const drawn = Array.from({ length: value(last + 1) }, () => {
      const subject = drawnSubject(model, standardSubject(model, normal), sds);
      squares.add(subject.observations);
      return subject;
    });
    showEstimates(section, squares.estimates);
    const variances = sds.map((sd) => sd ** 2);
    const between = variances.reduce((sum, each, k) => (k < last ? sum + adds[k] * each : sum), 0);
    const icc = significant(between / (between + variances[last]), 3);
    fillIn(section, { icc });
    sliders.forEach((slider, k) => {
      const shown = k > last ? slider.value : significant(value(k), 3);
      fillIn(section, { [`set-${names[k]}`]: shown, [`true-${k}`]: significant(variances[k]) });
      slider.setAttribute("aria-valuetext", shown);
    });
    parts.forEach((_, k) => {
      const made = parts.map(({ size, above }, v) => (
        v === k || above.includes(k) ? size * variances[v] : 0
      ));
      const expected = made.reduce((sum, each) => sum + each);
      fillIn(section, { [`expected-${k}`]: significant(expected) });
      for (const piece of section.querySelectorAll(`[data-made="${k}"] span`)) {
        piece.style.width = `${(100 * made[piece.dataset.part]) / (expected || 1)}%`;
      }
    });
    drawSubjects(box, model, drawn, total, icc);
  };
  const keep = () => setInAddress({
    ...Object.fromEntries(names.map((name, k) => (
      [name, value(k) === estimated[k] ? null : Number(value(k).toPrecision(5))]
    ))),
    set: seed === 1 ? null : seed,
  });

  set(estimated);
  const start = sliders.map((slider) => Number(slider.value));
  set(names.map((name, k) => numberInAddress(name, ...limits[k], estimated[k])));
  section.addEventListener("input", draw);
  section.addEventListener("change", keep);
  section.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const all = { between: 0, within: last }[button.value];
    if (all !== undefined) set(parts.map((_, k) => (k === all ? total : 0)));
    else if (button.value === "estimated") set(estimated);
    else seed += 1;
    draw();
    keep();
  });
  section.hidden = false;
  drawnToFit(box, draw);
}

// Subjects in columns: observations (points) around each one's mean or line (bar), on a scale that
// leaves hardly anything beyond whatever the sliders do.
function drawSubjects(box, { mean, parts, observations }, drawn, total, icc) {
  const label = `${drawn.length} subjects with ${observations} observations each, in columns `
    + `around their means; ICC ${icc}`;
  const height = 240;
  const { picture, width } = emptyPicture(box, height, label);
  const reach = 4.2 * total;
  const side = 40;
  const y = (at) => height / 2 - (at / reach) * (height / 2 - 8);
  const column = (width - side) / drawn.length;
  const up = ticks(mean - reach, mean + reach, 5);
  for (const at of up.at) {
    picture.append(
      svgElement("path", { class: "live-grid", d: `M${side} ${y(at - mean)}H${width}` }),
      svgElement("text", { x: side - 5, y: y(at - mean) + 4, "text-anchor": "end" }, up.text(at)),
    );
  }
  picture.append(svgElement("path", { class: "live-axis", d: `M${side} ${y(0)}H${width}` }));
  const radius = Math.min(3.5, Math.max(1.5, column / 4));
  const half = Math.min(12, 0.45 * column);
  const line = parts.findIndex(({ at }) => at);
  const far = line < 0 ? 1 : Math.max(...parts[line].at);
  const every = Math.ceil(observations / MOST_POINTS);
  drawn.forEach(({ values, observations: own }, place) => {
    const x = side + (place + 0.5) * column;
    for (let j = 0; j < own.length; j += every) {
      const along = line < 0 ? 0 : (half * parts[line].at[j]) / far;
      picture.append(svgElement("circle", { class: "live-dot within", cx: x + along, cy: y(own[j]), r: radius }));
    }
    const centre = values[0].length === 1 ? values[0][0] : 0;
    const rise = line < 0 ? 0 : far * values[line][0];
    const d = `M${x - half} ${y(centre - rise)}L${x + half} ${y(centre + rise)}`;
    picture.append(svgElement("path", { class: "live-mean between", d }));
  });
}
