// Another subject, drawn from the model's parts: standard normal numbers first, in their order, so
// that with the same seed a subject stays who it is when spreads change.
function standardSubject({ parts, correlation }, normal) {
  const drawn = parts.map(({ of }) => Array.from({ length: Math.max(...of) + 1 }, normal));
  // Means and slopes of lines come from their joint distribution.
  if (correlation) {
    drawn[1][0] = correlation * drawn[0][0] + Math.sqrt(1 - correlation ** 2) * drawn[1][0];
  }
  return drawn;
}

// The values of each part, with these standard deviations, and what the subject's observations are
// above the mean of all.
function drawnSubject(model, standard, sds) {
  const values = standard.map((numbers, k) => numbers.map((each) => sds[k] * each));
  const observations = model.parts[0].of.map((_, j) => model.parts.reduce(
    (sum, { of, at }, k) => sum + values[k][of[j]] * (at ? at[j] : 1), 0,
  ));
  return { values, observations };
}
