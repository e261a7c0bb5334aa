"""Summaries of a small study that meets all assumptions, each to be changed by a test."""

from typing import Any

from twolevel.summaries.anova_summary import AnovaSummary
from twolevel.summaries.checks_summary import ChecksSummary, Witness
from twolevel.summaries.comparison_summary import ComparisonSummary
from twolevel.summaries.design_summary import DesignSummary
from twolevel.summaries.mixed_summary import Contrast, MixedSummary
from twolevel.summaries.two_stage_summary import HierarchicalSummary, Level1Summary

NO_TEST = {"df": None, "t": None, "p": None, "ci_low": None, "ci_high": None}


def term(name: str, p: float | None, F: float = 5.0, df: tuple = (2, 20.0)) -> dict[str, Any]:
    """A test of a term."""
    return {"term": name, "F": F, "df_num": df[0], "df_den": df[1], "p": p}


def mean(level: Any, estimate: float, key: str = "condition") -> dict[str, Any]:
    """A mean of a level."""
    return {key: level, "estimate": estimate, "se": 0.5} | NO_TEST


def contrast(pair: str, estimate: float, p: float | None, half: float = 1.0) -> dict[str, Any]:
    """A difference of two levels."""
    ends = {"ci_low": estimate - half, "ci_high": estimate + half}
    return {"contrast": pair, "estimate": estimate, "se": 0.5} | NO_TEST | {"p": p} | ends


def contrast_row(*values: Any) -> Contrast:
    """The same as a summary has it."""
    return Contrast.of(contrast(*values))


def interval(parameter: str, low: float, high: float) -> dict[str, Any]:
    """A parameter with its intervals."""
    estimates = {"parameter": parameter, "estimate": 2.0, "ml_estimate": 1.9}
    profile = {"profile_low": low, "profile_high": high, "bootstrap_se": 0.5}
    percentile = {"percentile_low": low, "percentile_high": high}
    return estimates | profile | percentile | {"bca_low": low, "bca_high": high}


COMPONENTS = {
    "method": "REML",
    "sigma_between": 2.0,
    "sigma_within": 1.0,
    "lambda_": 4.0,
    "icc": 0.8,
    "design_effect": 2.6,
    "boundary": False,
    "llf": -40.0,
    "aic": 90.0,
    "bic": 97.0,
}
TERM = {"formula": "1", "within": [], "effects": ["(Intercept)"]}
VARCORR = [
    {
        "parameter": "sigma_between",
        "grp": "id",
        "var1": "(Intercept)",
        "var2": None,
        "vcov": 4.0,
        "sdcor": 2.0,
    },
    {
        "parameter": "sigma_within",
        "grp": "Residual",
        "var1": None,
        "var2": None,
        "vcov": 1.0,
        "sdcor": 1.0,
    },
]
DESIGN = {
    "columns": {"subject": "id", "condition": "time", "response": "score"},
    "sampled": None,
    "n_subjects": 10,
    "n_observations": 30,
    "conditions": ["a", "b", "c"],
    "per_subject": [3, 3],
    "per_cell": [1, 1],
    "empty_cells": 0,
    "repeated_cells": 0,
    "incomplete_subjects": 0,
    "per_condition": {"a": 10, "b": 10, "c": 10},
    "seen_under": {"a": 10, "b": 10, "c": 10},
    "complete": {"n_subjects": 10, "n_observations": 30},
    "single_subjects": 0,
    "patterns": {"counts": [[1, 1, 1]], "n_subjects": [10], "rest": 0, "rest_subjects": 0},
    "one_subject": {
        "subject": "1",
        "observations": [{"condition": "a", "response": 1.5}],
        "df_condition": 0,
        "sd_condition": None,
        "intercept": 2.0,
        "intercept_se": 0.5,
        "intercept_sd": 0.9,
        "df_intercept": 2,
        "saturated": True,
    },
    "balanced": True,
    "replicated": False,
    "random_part": {
        "random": "(1 | id)",
        "intercept_only": True,
        "own_coefficients": 1,
        "own_fitted": [2.0],
        "supported": {
            "random": "(1 | id)",
            "n_subjects": 10,
            "candidates": [
                {
                    "term": "time",
                    "number": None,
                    "factors": ["time"],
                    "subjects": 0,
                    "reason": "single rows",
                }
            ],
        },
    },
    "descriptives": {
        "variables": [{"name": "time", "within": True, "levels": ["a", "b", "c"]}],
        "by": ["time"],
        "cells": [
            {"levels": [level], "n_subjects": 10, "n_rows": rows, "mean": mean, "sd": 1.5}
            for level, rows, mean in (("a", 10, 1.0), ("b", 10, 2.0), ("c", 10, 3.0), (None, 30, 2))
        ],
    },
}
MIXED = {
    "formula": "score ~ time",
    "random": "(1 | id)",
    "n_subjects": 10,
    "nobs": 30,
    **COMPONENTS,
    "random_terms": [TERM],
    "varcorr": VARCORR,
    "r2": {"marginal": 0.2, "conditional": 0.8},
    "grand_mean": {"estimate": 2.0, "se": 0.5} | NO_TEST,
    "coefficients": [],
    "cov_params": [],
    "anova": [term("time", 0.001)],
    "terms": {"time": ["time"]},
    "ml": COMPONENTS | {"method": "ML"},
    "ml_varcorr": VARCORR,
    "level": 0.95,
    "adjust": "holm",
    "contrast_error": "pooled",
    "means": [mean("a", 1.0), mean("b", 2.0), mean("c", 3.0)],
    "condition_effects": [],
    "contrasts": [
        contrast("a - b", -1.0, 0.2),
        contrast("a - c", -2.0, 0.001),
        contrast("b - c", -1.0, 0.2),
    ],
    "factors": [],
    "slopes": [],
    "intervals": [interval("sigma_between", 1.0, 4.0), interval("icc", 0.5, 0.9)],
    "bootstrap": {"refits": 100, "boundary_refits": 0, "seed": 1},
    "between_variance": {
        "statistic": 9.0,
        "p": 0.001,
        "p_se": 0.0001,
        "p_mixture": 0.001,
        "by": "exact",
        "draws": 1000,
        "boundary_share": 0.6,
        "seed": 1,
    },
    "variance_tests": [],
    "influence": {"subjects": [], "not_estimable": 0, "refits": 0, "tests": []},
    "coding": "treatment",
    "held_at_zero": {},
}
POOLED = {
    "random": "(1 | id) + (1 | id:time)",
    "left_out": [{"within": ["time"], "effects": ["(Intercept)"]}],
    "tests": [],
    "reason": None,
}
CHECKS = {
    "level": 0.95,
    "response_values": None,
    "pooled": None,
    "unconnected": [],
    "diagnostics": {"draws": 999, "outside": {}, "by_condition": [], "looks": {}},
    "covariance": {"levels": [], "per_cell": 1.0, "implied": [], "observed": None},
    "following": None,
    "witnesses": [],
}
COMPARISON = {
    "agree": True,
    "boundary": False,
    "unbalanced": False,
    "pooled": [],
    "unequal": False,
    "largest_difference": 0.0,
    "most_apart": None,
    "table": [],
    "tests": [],
}
LEVEL1 = {
    "sigma_within": 1.0,
    "df_resid": 18,
    "sampling_variance": 1 / 3,
    "condition_effects": [
        {"condition": level, "estimate": estimate, "se": 0.3}
        for level, estimate in (("a", -1.0), ("b", 0.0), ("c", 1.0))
    ],
    "origin": 0.0,
    "level2": {"Intercept": 1.0},
    "level2_rows": [[1.0]],
    "shared_cov": [[0.0]],
    "first_subjects": [
        {
            "subject": str(k),
            "subject_mean": 2.0 + k,
            "own": {},
            "nested": {},
            "rows": [{"condition": "a", "fitted": 1.0 + k, "residual": 0.5 * k}],
        }
        for k in (1, 2, 3)
    ],
}
TWO_STAGE = {
    "grand_mean": {"estimate": 2.0, "se": 0.5},
    "params": [{"term": "Intercept", "estimate": 2.0, "se": 0.5}],
    "weighted": False,
    "raw_variance": 13 / 3,
    "sampling_variance": 1 / 3,
    "between_variance": 4.0,
    "sigma_between": 2.0,
    "sigma_within": 1.0,
    "truncated": False,
    "df_resid": 9,
}
REPLICATION = {
    "scenario": {
        "subjects": 6,
        "conditions": {"a": 1.0, "b": 2.0},
        "grand_mean": 0.0,
        "sigma_between": 1.0,
        "sigma_within": 1.0,
        "replicates": 1,
        "missing": 0.0,
        "between": {"groups": {}, "covariates": {}, "dropout": 0.0, "interactions": {}},
    },
    "levels": ["a", "b"],
    "plain": True,
    "terms": ["condition"],
    "formula": "response ~ condition",
    "whole": False,
    "random": "(1 | subject)",
    "mean": 1.5,
    "effects": [-0.5, 0.5],
    "axes": {
        "subjects": [6, 9, 12],
        "sigma_between": [1.0],
        "missing": [0.0, 0.1],
        "replicates": [1],
    },
    "points": 6,
    "experiments": 4000,
    "test": "kenward-roger",
    "level": 0.95,
    "powers": [0.8, 0.9],
    "seed": 1,
    "averaged_over": [],
}


def design(**changes: Any) -> DesignSummary:
    """Ten subjects under three levels of `time`, once under each."""
    return DesignSummary.of(DESIGN | changes)


def level1(**changes: Any) -> Level1Summary:
    """A mean of each subject, and effects of `time` that all share."""
    return Level1Summary.of(LEVEL1 | changes)


def two_stage(**changes: Any) -> HierarchicalSummary:
    """The variance of these means, raw and corrected."""
    return HierarchicalSummary.of(TWO_STAGE | changes)


def mixed(**changes: Any) -> MixedSummary:
    """A fit with a clear effect of `time`, and subjects that clearly differ."""
    return MixedSummary.of(MIXED | changes)


def checks(**changes: Any) -> ChecksSummary:
    """Checks in which all is well."""
    return ChecksSummary.of(CHECKS | changes)


def looks(**changes: dict[str, Any]) -> dict[str, Any]:
    """Diagnostics with these looks, whose names have underscores for spaces."""
    named = {name.replace("_", " "): look for name, look in changes.items()}
    return {**CHECKS["diagnostics"], "looks": named}


def comparison(**changes: Any) -> ComparisonSummary:
    """Three methods that agree."""
    return ComparisonSummary.of(COMPARISON | changes)


def anova(**changes: Any) -> AnovaSummary:
    """An ANOVA that says nothing more than that it exists."""
    return AnovaSummary.of({"available": True} | changes)


def witness(**changes: Any) -> Witness:
    """A witness that says nothing."""
    nothing = dict.fromkeys(Witness.model_fields)
    return Witness.of(nothing | {"witness": "", "method": "", "status": "", "said": ""} | changes)
