"""The one line under which each part of a replication study's depth is folded: its result."""

from __future__ import annotations

from twolevel.findings.of_replication.replicated import OTHERS, Replicated
from twolevel.text.confidence import alpha, percent
from twolevel.text.markdown import Markdown, counted, num
from twolevel.text.methods import METHODS


def depth(found: Replicated) -> dict[str, Markdown]:
    """The line of each folded part, by its name in the template."""
    lines = {
        "design": _design(found),
        "sampling": _sampling(found),
        "two stage": _two_stage(found),
        "coverage": _coverage(found),
        "power": _power(found),
        "type one errors": _type_one_errors(found),
        "others": _others(found),
        "failures": _failures(found),
    }
    return {name: Markdown(line) for name, line in lines.items()}


def _design(found: Replicated) -> str:
    replication = found.replication
    subjects = dict.fromkeys(f"{replication.axes.subjects[k]:,}" for k in (0, -1))
    return (
        f"{len(replication.effects)} conditions, {' to '.join(subjects)} subjects: "
        f"{replication.experiments:,} simulated experiments at each of "
        f"{counted(replication.points, 'point')} of a grid."
    )


def _sampling(found: Replicated) -> str:
    spread = found.extent["grand_mean"].get("empirical_se")
    if spread is None:
        return "There are no estimates here."
    ends = dict.fromkeys(num(end, 3) for end in spread)
    less = ", less with more subjects" if len(found.replication.axes.subjects) > 1 else ""
    return f"Estimates of the grand mean have a standard deviation of {' to '.join(ends)}{less}."


def _two_stage(found: Replicated) -> str:
    bias = found.extent.get("raw_variance", {}).get("bias")
    if bias is None:
        return "There are no estimates here."
    ends = " to ".join(dict.fromkeys(num(end, 2) for end in bias))
    return (
        f"On average the variance of the subjects’ own means lies {ends} above $\\sigma_b^2$, "
        "which no number of subjects mends."
    )


def _coverage(found: Replicated) -> str:
    if "coverage" not in found.extent["grand_mean"]:
        return "There are no intervals here."
    return (
        f"The {percent(found.replication.level)} % interval of the grand mean covers it in "
        f"{found.percents('grand_mean', 'coverage')} % of experiments."
    )


def _power(found: Replicated) -> str:
    if "power" not in found.extent[found.test]:
        return "There are no tests here."
    return (
        f"The {METHODS[found.test].name} test finds the difference in "
        f"{found.percents(found.test, 'power')} % of experiments."
    )


def _type_one_errors(found: Replicated) -> str:
    by = []
    if "type_one_error" in found.extent[found.test]:
        by.append(
            f"{found.percents(found.test, 'type_one_error')} % of experiments by "
            f"{METHODS[found.test].name}"
        )
    if found.any_fit and found.test != "asymptotic":
        asymptotic = found.percents("asymptotic", "type_one_error")
        of = "" if by else " of experiments"
        by.append(f"{asymptotic} %{of} by the asymptotic chi-square test")
    if not by:
        return "There are no tests here."
    return (
        f"A test at the {percent(alpha(found.replication.level))} % level rejects what is true in "
        f"{', and in '.join(by)}."
    )


def _others(found: Replicated) -> str:
    if "power" not in found.extent.get(OTHERS, {}):
        return "There are no other tests here."
    return (
        f"Other tests by {METHODS[found.test].name} have a power of "
        f"{found.percents(OTHERS, 'power')} %, and reject what is true in "
        f"{found.percents(OTHERS, 'type_one_error')} %."
    )


def _failures(found: Replicated) -> str:
    failed = f"{found.percents('failed', 'rate')} % of experiments could not be fitted."
    if not found.any_fit:
        return failed
    boundary = found.extent["boundary"]["rate"][1]
    return f"A variance is estimated as 0 in up to {num(100 * boundary, 3)} %; {failed}"
