// The two estimates of the variance between subjects, raw and corrected, from subjects who all have
// the same K observations: the report's two-stage estimate, kept up as subjects arrive.
//
// A subject's fit to its own observations has its mean and, with `line`, the slope along that unit
// vector (K numbers that sum to 0); `shared` says whether what is alike in all subjects' residuals,
// such as effects of conditions, is estimated from them too. The variance within subjects has
// n (K - q) degrees of freedom, or (n - 1)(K - q) with shared effects, q = 1 or 2. The subjects'
// estimated means carry errors of the variance sigma_w^2 / K, by which the raw variance is too large.
class TwoVariances {
  constructor(observations, { line = null, shared = false } = {}) {
    Object.assign(this, { observations, line, shared });
    this.count = 0;
    this.mean = 0; // of the subjects' means, and the sum of squares around it (Welford 1962)
    this.aroundMean = 0;
    this.residuals = new Float64Array(observations); // summed over subjects
    this.squares = 0;
  }

  // Take one subject: its true mean and the residuals of its observations (K).
  add(mean, errors) {
    const error = errors.reduce((sum, each) => sum + each, 0) / this.observations;
    const slope = this.line ? this.line.reduce((sum, at, j) => sum + at * errors[j], 0) : 0;
    errors.forEach((each, j) => {
      const residual = each - error - (this.line ? slope * this.line[j] : 0);
      this.residuals[j] += residual;
      this.squares += residual * residual;
    });
    this.count += 1;
    const step = mean + error - this.mean;
    this.mean += step / this.count;
    this.aroundMean += step * (mean + error - this.mean);
  }

  // The estimates; NaN where there are too few subjects for one.
  get estimates() {
    const alike = this.shared
      ? this.residuals.reduce((sum, each) => sum + each * each, 0) / this.count
      : 0;
    const subjects = this.shared ? this.count - 1 : this.count;
    const degrees = subjects * (this.observations - (this.line ? 2 : 1));
    const within = degrees > 0 ? (this.squares - alike) / degrees : NaN;
    const raw = this.count > 1 ? this.aroundMean / (this.count - 1) : NaN;
    const share = within / this.observations;
    return { within, raw, share, corrected: raw - share };
  }
}
