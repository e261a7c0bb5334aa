"""Every figure of a study, by its name, with the function that gives its words.

A figure is drawn by the function `draw` of the module of its name in `of_study/`, into the file of
its name. Rules list the names, templates place the figures. What is said of one depends on what was
found. Nothing that draws is imported: rules and reports read names and words only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twolevel.figures.captions import of_checks, of_data, of_model
from twolevel.figures.captions.figure import Figure

if TYPE_CHECKING:
    from twolevel.findings.results import Results

_WORDS: tuple[Callable[[Results], Figure], ...] = (
    of_data.data_by_subject,
    of_data.missingness,
    of_data.one_subject,
    of_data.three_subjects,
    of_data.distributions,
    of_model.profile_zeta,
    of_model.condition_means,
    of_model.caterpillar,
    of_model.shrinkage,
    of_model.conditional_marginal,
    of_model.covariance,
    of_checks.residuals_fitted,
    of_checks.quantile_plots,
    of_checks.scale_location,
    of_checks.influence,
)
OF_STUDY = {words.__name__: words for words in _WORDS}
