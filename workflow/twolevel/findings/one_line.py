"""The one line under which a part of a report is folded: its result, and the number behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twolevel.findings.of_fit import whether_subjects_differ
from twolevel.findings.of_subjects import shrinkage
from twolevel.findings.pairs import pairs_that_differ
from twolevel.findings.results import Results
from twolevel.findings.varying.random_words import is_intercept, tested_variances, variances
from twolevel.findings.verdicts import is_clear, spread_p
from twolevel.summaries.mixed_summary import OtherFactor
from twolevel.text.confidence import alpha
from twolevel.text.markdown import Markdown, counted, escape, num, p_value, words


def one_line(found: Results) -> dict[str, Markdown]:
    """The line of each folded part, by its name in the template."""
    lines = {
        "cells": _cells(found),
        "subjects differ": _subjects_differ(found),
        "explained": _explained(found),
        "likelihood": _likelihood(found),
        "strata": _strata(found),
        "sphericity": _sphericity(found),
        "witnesses": _witnesses(found),
        "pairs": _pairs(found),
        "predictions": _predictions(found),
        "assumptions": _assumptions(found),
        "influence": _influence(found),
    }
    return {name: Markdown(line) for name, line in lines.items()}


def of_factor(found: Results, factor: OtherFactor) -> Markdown:
    """The line of another factor's means: which of its levels differ."""
    levels = [mean.level for mean in factor.means]
    clear = factor.term is not None and found.verdicts[factor.term].clear
    said = pairs_that_differ(levels, factor.contrasts, clear, found.mixed.adjust, found.mixed.level)
    return said or Markdown(f"No two levels of {escape(factor.factor)} are told apart.")


def of_making(provenance: Mapping[str, Any]) -> Markdown:
    """The line of how a page was made, and can be again."""
    version, inputs = provenance["versions"]["twolevel"], provenance["inputs"]
    read = f" from {words([file['name'] for file in inputs])}" if inputs else ""
    return Markdown(
        f"Made by twolevel {escape(version)}{read}; this page alone is enough to make it again."
    )


def _cells(found: Results) -> str:
    design = found.design
    if design.empty_cells:
        verb = "is" if design.empty_cells == 1 else "are"
        return (
            f"{design.empty_cells} of {found.n_cells} cells {verb} empty, and no subject is "
            "dropped for that."
        )
    least, most = design.per_cell
    return f"Cells hold between {least} and {most} observations, each of which counts."


def _subjects_differ(found: Results) -> str:
    claims = whether_subjects_differ(found)
    if claims:
        differ = "differ" if claims[-1].clear else "do not clearly differ"
        p = p_value(claims[0].numbers["p"])
        return f"Subjects {differ}: the exact test of $\\sigma_b = 0$ has p {p}."
    tested = [
        f"{variance.what}, p {p_value(test.p)}" for variance, test in tested_variances(found.mixed)
    ]
    return f"Tests of what subjects have of their own: {'; '.join(tested)}."


def _explained(found: Results) -> str:
    r2 = found.mixed.r2
    both = f"{num(_percent(r2.conditional), 2)} % of the variance"
    if not found.mixed.anova:
        return f"Subjects account for {both}."
    return (
        f"The fixed effects account for {num(_percent(r2.marginal), 2)} %, with the subjects for "
        f"{both}."
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _likelihood(found: Results) -> str:
    first = found.mixed.intervals[0]
    between = f"{num(first.profile_low, 3)} to {num(first.profile_high, 3)}{found.in_unit}"
    if is_intercept(found.mixed):
        return f"$\\sigma_b$ has the {found.level} interval {between}."
    what = variances(found.mixed)[0].what
    return f"The SD of subjects’ own {what} has the {found.level} interval {between}."


def _strata(found: Results) -> str:
    tests = found.comparison.tests
    agree = sum(row.agree for row in tests)
    if agree == len(tests):
        return "Each term’s test is the same by the mixed model and by the ANOVA."
    if agree == 0:
        tested = words([found.verdicts[row.term].name for row in tests])
        return f"The mixed model and the ANOVA differ in the test of {tested}."
    those = f"{agree} agrees" if agree == 1 else f"{agree} agree"
    return f"Of {counted(len(tests), 'test')}, {those} between the mixed model and the ANOVA."


def _sphericity(found: Results) -> str:
    tested = [row for row in found.anova.sphericity if row.contrasts > 1]
    if not tested:
        return "Sphericity holds: each effect within subjects has one degree of freedom."
    if found.not_spherical:
        failing = words([" × ".join(row.effect) for row in found.not_spherical])
        epsilon = min(row.gg_epsilon for row in found.not_spherical)
        return f"Sphericity fails for {failing} (smallest epsilon {num(epsilon, 3)})."
    known = [row.mauchly_p for row in tested if row.mauchly_p is not None]
    smallest = f" (Mauchly’s test, p {p_value(min(known))})" if len(known) == 1 else ""
    if len(known) > 1:
        smallest = f" (smallest p of Mauchly’s tests {p_value(min(known))})"
    return f"No clear evidence against sphericity{smallest}."


def _witnesses(found: Results) -> str:
    witnesses = found.checks.witnesses
    asked = [each for each in witnesses if each.status not in ("not asked", "other models")]
    agree = sum(each.status == "agrees" for each in asked)
    if not asked:
        return "No other program here fits this model."
    fits = counted(len(asked), "fit")
    if agree == len(asked):
        return f"Other programs find the same ({fits})."
    return f"Other programs were asked for {fits}: {agree} of them as here, others as told below."


def _pairs(found: Results) -> str:
    if found.slope is not None:
        change = f"{num(found.slope.estimate)}{found.in_unit}"
        return f"Per unit of {escape(found.condition)} the mean changes by {change}."
    contrasts = found.mixed.contrasts
    levels = [mean.condition for mean in found.mixed.means]
    clear = any(found.verdicts[row.term].clear for row in found.own_terms)
    said = pairs_that_differ(levels, contrasts, clear, found.mixed.adjust, found.mixed.level)
    return said or f"No two levels of {escape(found.condition)} are told apart."


def _predictions(found: Results) -> str:
    found_shrinkage = shrinkage(found)
    if found_shrinkage is None:
        return f"What is predicted of each of {counted(found.design.n_subjects, 'subject')}."
    least, most = (found_shrinkage.numbers[key] for key in ("least", "largest"))
    if found.mixed.boundary:
        return "All predictions are 0."
    if least == most:
        return f"Each subject’s deviation is predicted as {num(least, 3)} of what was observed."
    return f"Deviations are predicted as {num(least, 3)} to {num(most, 3)} of what was observed."


def _assumptions(found: Results) -> str:
    """What all looks at the residuals and random effects find, in one line."""
    checks, level = found.checks, found.checks.level
    looks = checks.diagnostics.looks
    effects = [name for name in looks if name.startswith("random effect")]
    neighbours = [name for name in looks if name.startswith("neighbours")]
    asked = {
        "residuals are not normal": [looks[name].p for name in ("residual",) if name in looks],
        "residuals do not spread equally": [spread_p(looks)],
        "random effects are not normal": [looks[name].p for name in effects],
        "neighbouring residuals are alike": [looks[name].p for name in neighbours],
    }
    against = []
    if checks.response_values:  # which makes bands of the residuals
        against.append("the response takes few values")
        asked = dict(list(asked.items())[2:])
    against += [
        warning for warning, tests in asked.items() if any(is_clear(p, level) for p in tests)
    ]
    if against:
        return f"Against the model’s assumptions: {words(against)}."
    known = [p for tests in asked.values() for p in tests if p is not None]
    if not known:
        return "Of so many observations no test is made: look at the figures."
    return f"No clear sign against the model’s assumptions (smallest p {p_value(min(known))})."


def _influence(found: Results) -> str:
    left_out, largest = found.mixed.influence, ""
    for first in left_out.subjects[:1]:
        largest = (
            f"Cook’s distance is at most {num(first.cooks_distance, 3)}, of subject "
            f"{escape(first.subject)}"
        )
    changed = [row for row in left_out.tests if row.changed]
    if changed:
        without = words(sorted({name for row in changed for name in row.changed[:4]}))
        terms = words([found.verdicts[row.term].name for row in changed])
        tests, fall = ("test", "falls") if len(changed) == 1 else ("tests", "fall")
        return (
            f"A conclusion rests on single subjects: without {without}, one at a time, the {tests} "
            f"of {terms} {fall} on the other side of p = {num(alpha(found.mixed.level), 1)}."
        )
    if not left_out.refits:
        return f"{largest}." if largest else "No subject can be left out."
    of = (
        ""
        if left_out.refits == found.design.n_subjects - left_out.not_estimable
        else (f" of the {left_out.refits} that move the fixed effects most")
    )
    return f"No single subject{of} changes a conclusion; {largest}."
