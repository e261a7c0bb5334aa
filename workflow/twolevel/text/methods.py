"""By what a model is fitted, and how its fixed effects are tested: names as a page writes them.

Library, config, findings, figures and pages read them here. Nothing is imported: the config reads
the names before any job.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# What the type checker knows of the keys of ESTIMATION.
Method = Literal["REML", "ML"]


@dataclass(frozen=True)
class Estimation:
    """What a fit maximises, in a sentence, and what minus twice its logarithm is called."""

    name: str
    criterion: str


ESTIMATION: dict[Method, Estimation] = {
    "REML": Estimation("restricted maximum likelihood", "REML criterion"),
    "ML": Estimation("maximum likelihood", "Deviance"),
}

# What the type checker and the config's model know of the keys of METHODS: of the mixed model,
# where they differ in the denominator's degrees of freedom, and with the ANOVA's F, which
# replication studies compare with these.
Df = Literal["kenward-roger", "satterthwaite", "asymptotic"]
Test = Literal[Df, "anova"]


@dataclass(frozen=True)
class EffectTest:
    """One method: its name in a heading or a sentence, and its source, if it has one to name."""

    name: str
    source: str | None = None


METHODS: dict[str, EffectTest] = {
    "kenward-roger": EffectTest("Kenward–Roger", "Kenward & Roger (1997) as in pbkrtest"),
    "satterthwaite": EffectTest("Satterthwaite", "Satterthwaite as in lmerTest"),
    "asymptotic": EffectTest("asymptotic"),
    "anova": EffectTest("ANOVA"),
}
STANDARD: Df = "kenward-roger"

# How the p value of a variance is found, as a table has it: from the distribution of the statistic
# where one variance is all that is random, of the one in question where others are beside it, or
# from data sets that the model without it draws.
TestedBy = Literal["exact", "approximate", "bootstrap"]
TESTED_BY: dict[TestedBy, str] = {
    "exact": "exact distribution",
    "approximate": "approximation",
    "bootstrap": "bootstrap",
}

# The error that pairwise differences are tested by, as a caption has it.
ContrastError = Literal["pooled", "own"]
CONTRAST_ERRORS: dict[ContrastError, str] = {
    "pooled": (
        "from the model and its pooled errors, with t tests and intervals by Kenward and Roger’s "
        "method"
    ),
    "own": (
        "each with an error of its own, from the means of each subject’s cells, as afex’s "
        "multivariate model and SPSS give them"
    ),
}

# In replication studies with subjects' own slopes or effects, also what a model without them finds.
INTERCEPT_ALONE = "intercept-alone"
REPLICATED = METHODS | {INTERCEPT_ALONE: EffectTest("random intercept alone")}
