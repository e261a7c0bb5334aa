// The mean squares of the model's parts, kept up as subjects arrive who all have the same
// observations, and the variances that they estimate: raw, and corrected for the other parts' share.
//
// A part's stratum is what its levels, or its line, span of a subject's observations, without what
// the parts above it span. It has n - 1 times its dimensions degrees of freedom; the residuals have n
// times theirs unless effects that all subjects share are estimated from them too. In expectation, a
// mean square has size_v sigma_v^2 of its own part and of all that it is above (Searle, Casella &
// McCulloch 1992, sec. 4.4): less the others' estimates and divided by the size, it is the variance.
class MeanSquares {
  constructor({ parts, shared }) {
    Object.assign(this, { parts, shared, count: 0, products: 0 });
    this.levels = parts.map(({ of }) => Math.max(...of) + 1);
    this.dimensions = [];
    parts.forEach(({ above }, k) => this.dimensions.push(
      above.reduce((rest, v) => rest - this.dimensions[v], this.levels[k]),
    ));
    this.sums = this.levels.map((levels) => new Float64Array(levels));
    this.squares = new Float64Array(parts.length);
  }

  // Take one subject's observations, from the mean of all. What is left by the parts so far lies in
  // this one's stratum, or is orthogonal to its levels.
  add(observations) {
    let left = observations;
    const first = this.parts.map(({ of, at, size }, k) => {
      const values = new Float64Array(this.levels[k]);
      left.forEach((each, j) => { values[of[j]] += (at ? at[j] * each : each) / size; });
      left = left.map((each, j) => each - (at ? at[j] : 1) * values[of[j]]);
      values.forEach((each, level) => {
        this.sums[k][level] += each;
        this.squares[k] += size * each * each;
      });
      return values[0];
    });
    if (this.parts[1].at) this.products += first[0] * first[1];
    this.count += 1;
  }

  get estimates() {
    const { parts, count, sums } = this;
    const last = parts.length - 1;
    const rounding = 1e-25 * Math.max(...this.squares);
    const meanSquares = parts.map(({ size }, k) => {
      const around = k < last || this.shared;
      const common = around ? (size * sums[k].reduce((all, each) => all + each * each, 0)) / count : 0;
      const degrees = this.dimensions[k] * (around ? count - 1 : count);
      const own = this.squares[k] - common;
      return degrees > 0 ? (own > rounding ? own : 0) / degrees : NaN;
    });
    const [raw, share, corrected] = [[], [], []];
    for (let k = last; k >= 0; k -= 1) {
      raw[k] = meanSquares[k] / parts[k].size;
      share[k] = parts.reduce((sum, { size, above }, v) => (
        above.includes(k) ? sum + (size * corrected[v]) / parts[k].size : sum
      ), 0);
      corrected[k] = raw[k] - share[k];
    }
    // The errors of a line's mean and of its slope are independent.
    const covariance = (this.products - (sums[0][0] * sums[1][0]) / count) / (count - 1);
    return { meanSquares, raw, share, corrected, covariance };
  }
}
