"""The laws of the ANOVA's F tests of complete data, by term, for any number of subjects."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from twolevel.experiments.like_scenario import AnyScenario
from twolevel.experiments.planned.error_terms import ErrorTerms
from twolevel.experiments.planned.planned_study import CONDITION
from twolevel.experiments.scenario import Scenario
from twolevel.experiments.sizing.exact_test import MOST, ExactTest, fewest
from twolevel.experiments.theory import Sampling

Law = Callable[[int], ExactTest]


def is_simple(scenario: AnyScenario) -> bool:
    """Whether it has one factor, or number, within subjects, and nothing between them."""
    if not isinstance(scenario, Scenario):
        return False
    return len(scenario.population.names) == 1 and not scenario.between.any


def term_laws(scenario: AnyScenario) -> dict[str, Law]:
    """The law of each term's F with so many subjects; terms without an exact F are left out.

    Subjects are a multiple of `unit`: then noncentralities are in proportion to their number, and
    the error's degrees of freedom rise by as many with each of them.
    """
    complete = scenario.complete
    if isinstance(complete, Scenario) and is_simple(complete):
        return {CONDITION: Sampling(complete).test}
    study, n = complete.study, complete.subjects
    assert study is not None  # it is not simple, so not plain
    errors, found = ErrorTerms(study), {}
    for term, rows in study.terms.items():
        stratum = errors.of(rows)
        if stratum is not None:
            centre = errors.noncentrality(rows, stratum)
            found[term] = _law(len(rows), n, stratum.df, errors.df_of_a_subject(stratum), centre)
    return found


def _law(df_num: int, n: int, df: int, each: int, centre: float) -> Law:
    """The law with any number of subjects, from that with n."""
    return lambda m: ExactTest(df_num, df + (m - n) * each, centre * m / n)


def subjects_for(law: Law, power: float, level: float, unit: int) -> int | None:
    """The fewest subjects, a multiple of `unit`, with this power; None beyond MOST."""
    found = fewest(
        lambda k: law(k * unit).power(level) >= power, least=ceil(2 / unit), most=MOST // unit
    )
    return None if found is None else found * unit
