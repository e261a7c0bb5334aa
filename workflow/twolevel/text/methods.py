"""The methods by which fixed effects are tested: their names, as a page writes them, their sources.

Library, config, findings, figures and pages read them here. Nothing is imported: the config reads
the names before any job.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
