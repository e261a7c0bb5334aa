"""The random part of a model in words: what each subject has of its own, and how much it varies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twolevel.random.edges import edges
from twolevel.random.effect_names import INTERCEPT
from twolevel.text.markdown import Markdown, code, escape, num, words

if TYPE_CHECKING:
    from twolevel.summaries.checks_summary import LeftOut, PooledSummary
    from twolevel.summaries.mixed_summary import MixedSummary, RandomTerm, VarianceRow, VarianceTest


@dataclass(frozen=True)
class Own:
    """What subjects have of their own by one effect of a term.

    within are the factors in whose levels they have it, besides the subject; of is the column that
    the effect multiplies, None where it is an intercept; index tells apart the effects of a model.
    """

    within: tuple[str, ...]
    of: str | None
    index: int

    @property
    def is_slope(self) -> bool:
        """Whether it is the slope of a number, and not an effect of a level or a mean."""
        return self.of is not None and not self.of.endswith("]")

    @property
    def factor(self) -> str:
        """The factor, as the formula has it, whose effects these are."""
        return (self.of or "").partition("[")[0]


def is_intercept(mixed: MixedSummary) -> bool:
    """Whether the model has a random intercept of subjects and nothing else that is random."""
    terms = mixed.random_terms
    return len(terms) == 1 and terms[0].effects == [INTERCEPT] and not terms[0].within


def has_slopes(terms: Sequence[RandomTerm | LeftOut]) -> bool:
    """Whether subjects have slopes of their own by these terms."""
    return any(each.is_slope for own in own_effects(terms) for each in own)


def own_effects(terms: Sequence[RandomTerm | LeftOut]) -> list[list[Own]]:
    """What subjects have of their own, by term and effect."""
    found, index = [], 0
    for term in terms:
        own = []
        for effect in term.effects:
            index += effect != INTERCEPT
            own.append(Own(tuple(term.within), None if effect == INTERCEPT else effect, index))
        found.append(own)
    return found


def what_subjects_have(terms: Sequence[RandomTerm | LeftOut]) -> Markdown:
    """As a list: its own mean, its own slope of day and its own effect of each level of dose.

    Effects of several factors stand together: its own effect of each level of dose and of time.
    """
    listed: dict[str, list[Markdown]] = {}
    for own in own_effects(terms):
        for each in own:
            kind, of = _singular(each)
            if of not in listed.setdefault(kind, []):
                listed[kind].append(of)
    return words([Markdown(f"its own {kind} {words(of)}".rstrip()) for kind, of in listed.items()])


def left_out(pooled: PooledSummary) -> Markdown:
    """What subjects' data support and the model leaves out, as such a list."""
    return what_subjects_have(pooled.left_out)


def _singular(own: Own) -> tuple[str, Markdown]:
    """What it is, and of what: "effect of each level", "of dose"."""
    if own.of is None and not own.within:
        return "mean", Markdown("")
    among, within = _levels(own.within)
    if own.of is None:
        return f"effect of each {among}", Markdown(f"of {within}")
    kind, of = ("slope", own.of) if own.is_slope else ("effect of each level", own.factor)
    if own.within:
        return f"{kind} of {escape(of)} in each {among}", Markdown(f"of {within}")
    return kind, Markdown(f"of {escape(of)}")


def _levels(names: Sequence[str]) -> tuple[str, Markdown]:
    return "level" if len(names) == 1 else "combination of levels", words(list(names))


def deviates(own: Own, has_slope: bool, name: Callable[[object], str] = escape) -> Markdown:
    """What varies, in the plural: means, slopes of day, effects of dose.

    With slopes in the model, an intercept is no mean. `name` is how names are written.
    """
    if own.is_slope:
        said = f"slopes of {name(own.of)}"
    elif own.of is not None:
        said = f"effects of {name(own.of)}"
    elif own.within:
        return Markdown(f"effects of {' × '.join(map(name, own.within))}")
    else:
        return Markdown("intercepts" if has_slope else "means")
    return Markdown(f"{said} within {' × '.join(map(name, own.within))}" if own.within else said)


def in_singular(plural: str) -> str:
    """What one subject has of what varies: mean, slope of day, effect of dose."""
    return re.sub("s(?= of |$)", "", plural, count=1)


@dataclass(frozen=True)
class Variance:
    """A row of the table of variances with what it is of: one effect, two, or none (residuals)."""

    row: VarianceRow
    own: tuple[Own, ...]
    has_slope: bool

    @property
    def is_correlation(self) -> bool:
        """Whether it is a correlation of two effects."""
        return len(self.own) == 2

    @property
    def what(self) -> Markdown:
        """What varies: effects in the plural, as their possessive pronoun precedes them."""
        return self.called(escape)

    def called(self, name: Callable[[object], str]) -> Markdown:
        """The same, with names written by `name`."""
        return deviates(self.own[0], self.has_slope, name)

    @property
    def said(self) -> Markdown:
        """The parameter in words, as a table's first column has it."""
        if not self.own:
            return Markdown(r"SD within subjects, $\sigma_w$")
        if self.is_correlation:
            one, other = (deviates(each, self.has_slope) for each in self.own)
            return Markdown(f"correlation of {one} and {other}")
        symbol = r", $\sigma_b$" if self.row.parameter == "sigma_between" else ""
        return Markdown(f"SD of subjects’ own {self.what}{symbol}")


def variances(mixed: MixedSummary, rows: Sequence[VarianceRow] | None = None) -> list[Variance]:
    """The rows of the table of variances, by REML or others of the same model, with what each is.

    In the order of the table: of each term the standard deviations, then the correlations.
    """
    return list(_variances(mixed, iter(mixed.varcorr if rows is None else rows)))


def _variances(mixed: MixedSummary, rows: Iterator[VarianceRow]) -> Iterator[Variance]:
    has_slope = has_slopes(mixed.random_terms)
    for own in own_effects(mixed.random_terms):
        q = len(own)
        for effects in [(k,) for k in range(q)] + [
            (i, j) for i in range(q) for j in range(i + 1, q)
        ]:
            yield Variance(next(rows), tuple(own[k] for k in effects), has_slope)
    yield Variance(next(rows), (), has_slope)


def parameters_in_words(mixed: MixedSummary) -> dict[str, Markdown]:
    """What tables call the parameters that say how much varies."""
    if is_intercept(mixed):
        symbols = {"sigma_between": r"$\sigma_b$", "sigma_within": r"$\sigma_w$", "icc": "ICC"}
        return {name: Markdown(symbol) for name, symbol in symbols.items()}
    return {each.row.parameter: each.said for each in variances(mixed)}


def tested_variances(mixed: MixedSummary) -> list[tuple[Variance, VarianceTest]]:
    """The standard deviation of each effect with its test; none of a random intercept alone."""
    deviations = [each for each in variances(mixed)[:-1] if not each.is_correlation]
    return list(zip(deviations, mixed.variance_tests, strict=False))


def at_the_edge(mixed: MixedSummary) -> Markdown:
    """Which variances are estimated as 0 and which correlations as 1 or -1, as a sentence's end."""
    known = {each.row.parameter: each for each in variances(mixed)}
    zero, perfect = edges(mixed.varcorr)
    said = []
    if zero:
        listed = words([known[row.parameter].what for row in zero])
        verb = "the variance" if len(zero) == 1 else "the variances"
        said.append(f"{verb} of subjects’ own {listed} as exactly 0")
    for row in perfect:
        one, other = (deviates(each, True) for each in known[row.parameter].own)
        sign = "1" if (row.sdcor or 0) > 0 else "−1"
        whose = "their" if said else "subjects’ own"
        said.append(f"the correlation of {whose} {one} and {other} as {sign}")
    if not said:
        return Markdown("one of subjects’ own effects as following from the others without error")
    return Markdown(" and ".join(said))


def how_much_varies(mixed: MixedSummary, unit: str, strong: str = "") -> Markdown:
    """All standard deviations in a sentence; unit stands behind each number of the response's.

    strong stands around the first of them.
    """
    found, said = variances(mixed), list[str]()
    for each in found[:-1]:
        if each.is_correlation:
            continue
        # Slopes of a number are in the response's unit per unit of it.
        per = f" per unit of {escape(each.own[0].of)}" if each.own[0].is_slope else ""
        where = ""
        if each.row.parameter == "sigma_between" and each.has_slope:
            where = f" (where {_zero(mixed)} 0)"
        value = num(each.row.sdcor, 3)
        if said:
            said.append(f"their own {each.what}{where} with one of {value}{unit}{per}")
        else:
            said.append(
                f"{strong}Subjects’ own {each.what}{where} vary with a standard deviation of "
                f"{value}{strong}{unit}{per}"
            )
    correlations = [each for each in found if each.is_correlation and each.row.sdcor is not None]
    together = ""
    if len(correlations) == 1:
        together = f" (correlation {num(correlations[0].row.sdcor, 2)})"
    within = f"observations around them with one of {num(mixed.sigma_within, 3)}{unit}"
    return Markdown(f"{', '.join(said)}{together}, and {within} (REML).")


def marginal_variance(mixed: MixedSummary) -> float | None:
    """The variance of any observation over subjects; None where it depends on the observation."""
    if any(each.of is not None for own in own_effects(mixed.random_terms) for each in own):
        return None
    return sum(row.vcov for row in mixed.varcorr)


def _zero(mixed: MixedSummary) -> str:
    slopes = [each.of for own in own_effects(mixed.random_terms) for each in own if each.is_slope]
    names = [escape(name) for name in dict.fromkeys(slopes)]
    return f"{words(names)} {'is' if len(names) == 1 else 'are'}"


def formula_in_full(mixed: MixedSummary) -> Markdown:
    """The formula with its random part, as lme4 reads it."""
    return code(f"{mixed.formula} + {mixed.random}")


def what_is_random(mixed: MixedSummary, unit: str) -> dict[str, object]:
    """What a template says of the random part; unit stands behind numbers of the response's."""
    intervals = {row.parameter: row for row in mixed.intervals}
    rows = zip(variances(mixed), mixed.ml_varcorr, strict=True)
    return {
        "intercept_only": is_intercept(mixed),
        "has_slopes": has_slopes(mixed.random_terms),
        "subjects_have": what_subjects_have(mixed.random_terms),
        "subjects_own": any(not term.within for term in mixed.random_terms),
        "predictions_are_0": mixed.boundary and is_intercept(mixed),
        "variances": [(each, ml, intervals[each.row.parameter]) for each, ml in rows],
        "how_much_varies": how_much_varies(mixed, unit),
        "marginal_variance": marginal_variance(mixed),
        "tested_variances": tested_variances(mixed),
        "at_the_edge": at_the_edge(mixed),
        "formula_in_full": formula_in_full(mixed),
        "parameters": parameters_in_words(mixed),
    }
