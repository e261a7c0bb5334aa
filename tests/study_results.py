"""What a study's stages find, without figures, intervals and checks: for tests of what is said."""

from typing import Any

import example_summaries
import pandas as pd

from twolevel.design.terms import made_of
from twolevel.findings.results import Results
from twolevel.inference.type3 import held_at_zero
from twolevel.levels.describe import describe_design, describe_random_part
from twolevel.levels.descriptives import descriptives
from twolevel.levels.first_subjects import first_subjects
from twolevel.levels.hierarchical import fit_hierarchical
from twolevel.levels.marginal_means import marginal_means
from twolevel.levels.random_part_found import random_terms, variance_rows
from twolevel.levels.subjects import fit_subjects
from twolevel.mixed import fit_mixed
from twolevel.random.bars import read_bars
from twolevel.strata.anova import NotPartitioned, partition_errors
from twolevel.summaries.anova_summary import AnovaSummary
from twolevel.summaries.design_summary import DesignSummary
from twolevel.summaries.mixed_summary import MixedSummary
from twolevel.summaries.two_stage_summary import HierarchicalSummary, Level1Summary


def results_of(
    formula: str,
    data: pd.DataFrame,
    subject: str,
    condition: str | None,
    *,
    adjust: str = "holm",
    contrast_error: Any = "pooled",
    level: float = 0.95,
    unit: str | None = None,
    **mixed: Any,
) -> Results:
    """The results of a table (N rows); `mixed` are keys of mixed.json instead of those found."""
    fit = fit_mixed(formula, data, subject)
    alone = fit.random_part.is_intercept
    means = marginal_means(fit, condition, adjust, level, contrast_error)
    found = example_summaries.MIXED | {
        **fit.summary(level),
        "cov_params": [],
        "terms": made_of(fit.design),
        "random_terms": random_terms(fit),
        "varcorr": variance_rows(fit),
        "ml_varcorr": variance_rows(fit),
        "level": level,
        "adjust": adjust,
        "contrast_error": contrast_error,
        **means.summary(),
        "intervals": [
            example_summaries.interval(row.parameter, 0.5, 9.0)
            for row in variance_rows(fit).itertuples()
        ]
        + ([example_summaries.interval("icc", 0.5, 0.9)] if alone else []),
        "between_variance": example_summaries.MIXED["between_variance"] if alone else None,
        "held_at_zero": held_at_zero(fit.design),
    }
    response = read_bars(formula).names.response
    columns = {"subject": subject, "response": response}
    columns |= {} if condition is None else {"condition": condition}
    table = pd.DataFrame(
        {
            "subject": data[subject],
            "condition": "all" if condition is None else data[condition],
            "response": data[response],
        }
    )
    described = describe_design(table)
    level1 = fit_subjects(formula, data, subject, condition)
    try:
        partitioned = partition_errors(read_bars(formula).fixed, data, subject, level)
        anova = {"available": True, **partitioned.summary()}
    except NotPartitioned as reason:
        anova = {"available": False, "reason": str(reason)}
    part = describe_random_part(fit.design, fit.random_columns, described.one_subject)
    return Results(
        design=DesignSummary.of(
            {
                "columns": columns,
                "sampled": None,
                **described.summary(),
                "random_part": part.summary(),
                "descriptives": descriptives(fit.design, condition).summary(),
            }
        ),
        level1=Level1Summary.of(
            level1.summary() | {"first_subjects": first_subjects(table, data, level1)}
        ),
        two_stage=HierarchicalSummary.of(fit_hierarchical(level1).summary()),
        mixed=MixedSummary.of(found | mixed),
        checks=example_summaries.checks(level=level),
        anova=AnovaSummary.of(anova),
        comparison=example_summaries.comparison(),
        truth=None,
        unit=unit,
    )
