"""twolevel: the two-level (random-intercept) mixed model for repeated measurements.

    import twolevel as tl
    level1 = tl.fit_subjects("score ~ time", data, subject="id")
    twostep = tl.fit_hierarchical(level1)
    fit = tl.fit_mixed("score ~ time", data, subject="id")
    anova = tl.partition_errors("score ~ time", data, subject="id")

Names are imported when they are first used, so that `import twolevel` costs nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "InputError": "text.errors",
    "describe_design": "levels.describe",
    "fit_arrays": "mixed",
    "fit_hierarchical": "levels.hierarchical",
    "fit_mixed": "mixed",
    "fit_subjects": "levels.subjects",
    "partition_errors": "strata.anova",
    "replicate": "experiments.run",
    "Scenario": "experiments.scenario",
    "simulate": "experiments.simulation",
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'twolevel' has no attribute {name!r}")
    return getattr(import_module(f"twolevel.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
