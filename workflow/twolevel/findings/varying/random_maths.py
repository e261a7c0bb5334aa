"""The random part of a model in mathematics: its symbols, its sum, and how each effect is spread.

S_i is added to a subject's observations, B_i multiplied by a number; what is nested in the subject
has the name of its factor too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from twolevel.findings.varying.random_words import Own, own_effects
from twolevel.text.markdown import Markdown, tex

if TYPE_CHECKING:
    from twolevel.summaries.mixed_summary import MixedSummary

# Effects of one term up to which its covariance matrix is written out.
_MOST_WRITTEN = 3

ERROR = r"\eta_{ij}"
_BELOW = r" \\ "


def symbols(mixed: MixedSummary) -> list[list[str]]:
    """The symbol of each effect, by term: S_i, B_i, S_{i,treatment}."""
    terms = own_effects(mixed.random_terms)
    several = max(each.index for own in terms for each in own) > 1
    return [[_symbol(each, several) for each in own] for own in terms]


def times_its_column(symbol: str, own: Own) -> str:
    """An effect as it stands in the model's sum: B_i day_ij, or S_i alone."""
    return symbol + (rf"\,{column(own.of)}_{{ij}}" if own.of else "")


def written_out(mixed: MixedSummary) -> Markdown:
    """The random part as a sum, z_ij' b_i: S_i + B_i day_ij."""
    parts = zip(symbols(mixed), own_effects(mixed.random_terms), strict=True)
    return Markdown(
        " + ".join(
            times_its_column(symbol, each)
            for names, own in parts
            for symbol, each in zip(names, own, strict=True)
        )
    )


def laws(mixed: MixedSummary) -> list[Markdown]:
    """How the effects of each term are distributed, and the errors, with the estimates."""
    rows, found = iter(mixed.varcorr), []
    for names in symbols(mixed):
        q = len(names)
        covariance = {(k, k): tex(next(rows).vcov) for k in range(q)}
        covariance |= {(i, j): tex(next(rows).vcov) for i in range(q) for j in range(i + 1, q)}
        found.append(law(names, covariance))
    return [*found, law([ERROR], {(0, 0): tex(next(rows).vcov)})]


def laws_in_symbols(mixed: MixedSummary) -> list[Markdown]:
    """The same with the names of the variances."""
    found = []
    for names, own in zip(symbols(mixed), own_effects(mixed.random_terms), strict=True):
        if len(own) > 1:
            found.append(Markdown(rf"{vector(names)} \sim N(0,\, \Sigma)"))
            continue
        parts = [*filter(None, [own[0].of]), *own[0].within]
        variance = rf"\sigma_{{{', '.join(map(column, parts))}}}^2" if parts else r"\sigma_b^2"
        found.append(law(names, {(0, 0): variance}))
    return [*found, law([ERROR], {(0, 0): r"\sigma_w^2"})]


def law(names: Sequence[str], covariance: Mapping[tuple[int, int], str]) -> Markdown:
    """That effects are normal around 0, with a covariance whose upper triangle is given."""
    q = len(names)
    if q == 1:
        return Markdown(rf"{names[0]} \sim N(0,\, {covariance[0, 0]})")
    if q > _MOST_WRITTEN:
        return Markdown(rf"({names[0]}, \ldots, {names[-1]})' \sim N(0,\, \hat\Sigma)")
    lines = [" & ".join(covariance[min(i, j), max(i, j)] for j in range(q)) for i in range(q)]
    matrix = _BELOW.join(lines)
    return Markdown(
        rf"{vector(names)} \sim N\left(0,\, \begin{{pmatrix}} {matrix} \end{{pmatrix}}\right)"
    )


def vector(names: Sequence[str]) -> str:
    """Some quantities below one another, in brackets."""
    return rf"\begin{{pmatrix}} {_BELOW.join(names)} \end{{pmatrix}}"


def _symbol(own: Own, several: bool) -> str:
    letter = "S" if own.of is None else f"B^{{({own.index})}}" if several else "B"
    within = "".join(f",{column(name)}" for name in own.within)
    return f"{letter}_{{i{within}}}"


def column(name: str | None) -> str:
    """A column's name in mathematics, where only letters, digits and a few signs may stand."""
    plain = re.sub(r"[^\w .:*+()\[\]-]", "·", str(name)).replace("_", r"\_")
    return rf"\text{{{plain}}}"


def aligned(lines: Sequence[str]) -> str:
    """Lines of mathematics below one another, aligned at their &."""
    return rf"\begin{{aligned}} {_BELOW.join(lines)} \end{{aligned}}"


def side_by_side(laws: Sequence[str]) -> Markdown:
    """Two laws beside one another; more, which few pages have the width for, below one another."""
    if len(laws) <= 2:
        return Markdown(r", \qquad ".join(laws))
    return Markdown(aligned([law.replace(r" \sim", r" &\sim", 1) for law in laws]))
