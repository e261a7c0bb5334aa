// "The experiment again": other subjects from the study's fitted model, one, ten or a hundred at a
// time. Their means and residuals fall into two histograms; the estimates of variance follow.
const MOST_DRAWN = 20000;

function drawAgain(section, model) {
  const { mean, between, within, observations, line, shared } = model;
  const reach = 4.25 * Math.max(between, within); // of both, so that one can be compared with the other
  const [means, residuals] = ["means", "residuals"].map((kind) => new Histogram(
    section.querySelector(`[data-draws="${kind}"]`),
    kind === "means"
      ? { centre: mean, sd: between, reach, name: "subjects’ means", kind: "between" }
      : { centre: 0, sd: within, reach, name: "residuals", kind: "within" },
  ));
  let seed;
  let normal;
  let variances;

  const start = (from) => {
    seed = from;
    normal = normalDraws(seed);
    variances = new TwoVariances(observations, { line, shared });
    means.clear();
    residuals.clear();
  };
  const draw = (count) => {
    for (let k = Math.min(count, MOST_DRAWN - variances.count); k > 0; k -= 1) {
      const own = mean + between * normal();
      const errors = Array.from({ length: observations }, () => within * normal());
      variances.add(own, errors);
      means.add([own]);
      residuals.add(errors);
    }
  };
  const show = () => {
    means.draw();
    residuals.draw();
    const { within: square, raw, share, corrected } = variances.estimates;
    const few = residuals.last.length <= 12 ? residuals.last : [];
    fillIn(section, {
      count: variances.count.toLocaleString("en"),
      mean: significant(means.last[0]),
      errors: few.map((each) => significant(each, 3)).join(", ") || "–",
      raw: significant(raw),
      share: significant(share),
      corrected: significant(corrected),
      within: significant(square),
    });
    section.querySelector("[data-last]").hidden = few.length === 0;
    setInAddress({ drawn: variances.count || null, draw: seed === 1 ? null : seed });
  };

  section.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    // Begun anew, the experiment is another one.
    if (button.value === "reset") start(seed + 1);
    else draw(Number(button.value));
    show();
  });
  start(Math.round(numberInAddress("draw", 1, 2 ** 31, 1)));
  draw(Math.round(numberInAddress("drawn", 0, MOST_DRAWN, 0)));
  section.hidden = false;
  show();
}
