// Two sliders between "all variance between" and "all within": what the ICC looks like, and how the
// two estimates of the variance between subjects do. The draws stay the same while a slider moves.
const SPREAD = ["between", "within", "subjects"];
const SUBJECTS = { fewest: 2, first: 30, most: 60 }; // of more, columns could not be told apart

function intraclassPicture(section, model) {
  const total = Math.hypot(model.between, model.within);
  const [low, high] = [0, 1.25 * total];
  const rows = Math.min(model.observations, 8);
  const sliders = Object.fromEntries(SPREAD.map((name) => [name, section.querySelector(`input[name=${name}]`)]));
  const box = section.querySelector("[data-picture]");
  const subjects = Math.min(model.subjects, SUBJECTS.first);
  const estimated = { between: model.between, within: model.within, subjects };
  let seed = Math.round(numberInAddress("set", 1, 2 ** 31, 1));

  for (const name of ["between", "within"]) {
    Object.assign(sliders[name], { min: low, max: high, step: high / 250 });
  }
  Object.assign(sliders.subjects, { min: SUBJECTS.fewest, max: SUBJECTS.most, step: 1 });
  const set = (values) => SPREAD.forEach((name) => {
    if (name in values) sliders[name].value = values[name];
  });
  // A slider has steps: where it stands at what is next to an estimate, it means the estimate.
  const value = (name) => {
    const found = Number(sliders[name].value);
    return found === start[name] ? estimated[name] : found;
  };

  // Each subject's standard normal numbers: its own first, then its observations'.
  const draws = () => {
    const normal = normalDraws(seed);
    return Array.from({ length: value("subjects") }, () => Array.from({ length: rows + 1 }, normal));
  };

  const draw = () => {
    const [between, within] = [value("between"), value("within")];
    const drawn = draws().map(([own, ...errors]) => ({
      mean: model.mean + between * own, errors: errors.map((each) => within * each),
    }));
    const variances = new TwoVariances(rows);
    for (const { mean, errors } of drawn) variances.add(mean, errors);
    const { raw, share, corrected } = variances.estimates;
    const icc = between ** 2 / (between ** 2 + within ** 2);
    fillIn(section, {
      icc: significant(icc, 3),
      raw: significant(raw),
      share: significant(share),
      corrected: significant(corrected),
      true: significant(between ** 2),
    });
    for (const name of SPREAD) {
      const shown = name === "subjects" ? sliders[name].value : significant(value(name), 3);
      fillIn(section, { [`${name}-set`]: shown });
      sliders[name].setAttribute("aria-valuetext", shown);
    }

    const label = `${drawn.length} subjects with ${rows} observations each, in columns around `
      + `their means; ICC ${significant(icc, 3)}`;
    const height = 240;
    const { picture, width } = emptyPicture(box, height, label);
    const reach = 4.2 * total; // the sliders leave hardly anything beyond
    const side = 40;
    const y = (at) => height / 2 - ((at - model.mean) / reach) * (height / 2 - 8);
    const column = (width - side) / drawn.length;
    const up = ticks(model.mean - reach, model.mean + reach, 5);
    for (const at of up.at) {
      picture.append(
        svgElement("path", { class: "live-grid", d: `M${side} ${y(at)}H${width}` }),
        svgElement("text", { x: side - 5, y: y(at) + 4, "text-anchor": "end" }, up.text(at)),
      );
    }
    picture.append(svgElement("path", { class: "live-axis", d: `M${side} ${y(model.mean)}H${width}` }));
    const radius = Math.min(3.5, Math.max(1.5, column / 4));
    drawn.forEach(({ mean, errors }, place) => {
      const x = side + (place + 0.5) * column;
      for (const error of errors) {
        picture.append(svgElement("circle", { class: "live-dot", cx: x, cy: y(mean + error), r: radius }));
      }
      const half = Math.min(12, 0.45 * column);
      picture.append(svgElement("path", { class: "live-mean", d: `M${x - half} ${y(mean)}h${2 * half}` }));
    });
  };
  const keep = () => {
    const changed = SPREAD.map((name) => {
      const found = value(name);
      return [name, found === estimated[name] ? null : Number(found.toPrecision(5))];
    });
    setInAddress({ ...Object.fromEntries(changed), set: seed === 1 ? null : seed });
  };

  set(estimated);
  const start = Object.fromEntries(SPREAD.map((name) => [name, Number(sliders[name].value)]));
  set({
    between: numberInAddress("between", low, high, estimated.between),
    within: numberInAddress("within", low, high, estimated.within),
    subjects: numberInAddress("subjects", SUBJECTS.fewest, SUBJECTS.most, estimated.subjects),
  });
  section.addEventListener("input", draw);
  section.addEventListener("change", keep);
  section.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.value === "between") set({ between: total, within: 0 });
    else if (button.value === "within") set({ between: 0, within: total });
    else if (button.value === "estimated") set(estimated);
    else seed += 1;
    draw();
    keep();
  });
  section.hidden = false;
  drawnToFit(box, draw);
}
