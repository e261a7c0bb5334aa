"""Every figure of a replication study: its name, label, caption and alternative text.

Each is drawn by the module of its name in `of_replication/` (see `registry`).
"""

from twolevel.figures.captions.figure import Figure

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
        "Bias, in empirical standard errors, and coverage of intervals.",
        "Standardised bias of the grand mean, of a condition effect and of both variances, and the "
        "coverage of the intervals of the fixed effects, over the number of subjects.",
    ),
    "power_curves": Figure(
        "fig-power",
        "Power of the test that the conditions do not differ. Circles: the fewest subjects that "
        "have a power that is asked for, where they lie in this range.",
        "Power rises with the number of subjects, and is lower with missing cells; lines mark the "
        "powers that are asked for.",
    ),
    "type_one_error": Figure(
        "fig-type-one",
        "How often each test rejects what is true, and how often it should.",
        "Type I error of the methods over the number of subjects: the asymptotic test's is well "
        "above its level with few subjects, Kenward-Roger's and the ANOVA's stay near it.",
    ),
}
