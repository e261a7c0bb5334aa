"""Every figure of a replication study: its name, label, caption and alternative text.

Each is drawn by the module of its name in `of_replication/` (see `registry`).
"""

from twolevel.figures.registry import Figure
from twolevel.text.confidence import LEVEL, alpha, percent

OF_REPLICATION = {
    "sampling_distributions": Figure(
        "fig-sampling",
        "Sampling distributions of the estimates, with theory's law for complete data, and the "
        "truth.",
        "Histograms of the estimated grand mean and of both variances for several numbers of "
        "subjects; they narrow around the truth as the number grows.",
    ),
    "two_stage_bias": Figure(
        "fig-two-stage",
        "Mean of the estimates of the variance between subjects: raw variance of the subject "
        "means, corrected, and REML.",
        "The raw variance of subject means stays above the truth whatever the number of subjects; "
        "the corrected variance and REML lie close to it, above it where the truth is 0.",
    ),
    "bias_coverage": Figure(
        "fig-bias",
        f"Bias, in empirical standard errors, and coverage of {percent(LEVEL)} % intervals.",
        "Standardised bias of the grand mean, of a condition effect and of both variances, and the "
        "coverage of the intervals of the fixed effects, over the number of subjects.",
    ),
    "power_curves": Figure(
        "fig-power",
        "Power of the test that the conditions do not differ.",
        "Power rises with the number of subjects, and is lower with missing cells; lines mark 80 "
        "and 90 percent.",
    ),
    "type_one_error": Figure(
        "fig-type-one",
        f"How often a test at the {percent(alpha(LEVEL))} % level rejects what is true.",
        "Type I error of the methods over the number of subjects: the asymptotic test's is well "
        f"above {percent(alpha(LEVEL))} percent with few subjects, Kenward-Roger's and the ANOVA's "
        "stay near it.",
    ),
}
