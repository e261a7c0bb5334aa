// "The experiment again": other subjects from the study's fitted model, one, ten or a hundred at a
// time. What each draws falls into a histogram for every part; the estimates of variance follow.
const MOST_DRAWN = 20000;

function drawAgain(section, model) {
  const { parts } = model;
  const sds = parts.map(({ sd }) => sd);
  const residuals = parts.length - 1;
  const histograms = parts.map(({ centre, sd, scale }, k) => {
    const box = section.querySelector(`[data-draws="${k}"]`);
    return new Histogram(box, { centre, sd, reach: 4.25 * scale });
  });
  let seed;
  let normal;
  let squares;

  const start = (from) => {
    seed = from;
    normal = normalDraws(seed);
    squares = new MeanSquares(model);
    for (const histogram of histograms) histogram.clear();
  };
  const draw = (count) => {
    for (let k = Math.min(count, MOST_DRAWN - squares.count); k > 0; k -= 1) {
      const { values, observations } = drawnSubject(model, standardSubject(model, normal), sds);
      squares.add(observations);
      histograms.forEach((histogram, part) => histogram.add(values[part]));
    }
  };
  const show = () => {
    const few = histograms[residuals].last.length <= 12;
    histograms.forEach((histogram, k) => {
      histogram.draw();
      const last = histogram.last.map((each) => significant(each + parts[k].centre, k ? 3 : 4));
      fillIn(section, { [`last-${k}`]: few ? last.join(", ") : "–" });
    });
    showEstimates(section, squares.estimates);
    fillIn(section, { count: squares.count.toLocaleString("en") });
    section.querySelector("[data-last]").hidden = !few || squares.count === 0;
    setInAddress({ drawn: squares.count || null, draw: seed === 1 ? null : seed });
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

// Each part's variance as its subjects estimate it, in the places that the page has for them.
function showEstimates(section, { meanSquares, raw, share, corrected, covariance }) {
  const lists = { found: meanSquares, raw, share, corrected };
  for (const [name, values] of Object.entries(lists)) {
    values.forEach((value, k) => fillIn(section, { [`${name}-${k}`]: significant(value) }));
  }
  fillIn(section, { covariance: significant(covariance) });
}
