"""Bars of a formula: what lme4's formulas say is random, apart from what is fixed.

    score ~ time + (1 + day | id)   ->   score ~ time   and   1 + day, of each level of id

Left of a bar stand terms as in any formula; right of it columns, whose combinations are the levels
of the grouping factor: (1 | id:session), and (1 | id/session) for (1 | id) + (1 | id:session)
(Bates, Maechler, Bolker & Walker 2015, table 2). Like `design.formula`, this evaluates nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from twolevel.design.formula import BARS, MISPLACED_BAR, MOST_KEPT, FormulaNames, parse
from twolevel.design.tokens import Refusal, Token, column_name, tokens_of
from twolevel.text.errors import InputError, quoted


@dataclass(frozen=True)
class Bar:
    """One random term: `formula` stands left of the bar, the columns `grouping` right of it."""

    formula: str
    grouping: tuple[str, ...]

    def __str__(self) -> str:
        """The term as lme4 writes it."""
        return f"({self.formula} | {':'.join(map(written, self.grouping))})"


@dataclass(frozen=True)
class MixedFormula:
    """A formula in two: the fixed part, which has no bars, and its bars."""

    text: str
    fixed: str
    bars: tuple[Bar, ...]

    @cached_property
    def names(self) -> FormulaNames:
        """The columns of the fixed part."""
        return parse(self.fixed)

    def names_of(self, bar: Bar) -> FormulaNames:
        """The columns that stand left of a bar."""
        response = written(self.names.response)
        return parse(f"{response} ~ {bar.formula}", f"formula {quoted(self.text)}: {bar}")

    @property
    def grouping(self) -> tuple[str, ...]:
        """The columns that stand right of bars."""
        return tuple(dict.fromkeys(name for bar in self.bars for name in bar.grouping))

    @property
    def random_columns(self) -> tuple[str, ...]:
        """All columns that bars name."""
        left = (name for bar in self.bars for name in self.names_of(bar).variables)
        return tuple(dict.fromkeys([*self.grouping, *left]))

    @property
    def subject(self) -> str | None:
        """The first column that stands right of all bars: the levels of all are nested in it."""
        groupings = [set(bar.grouping) for bar in self.bars]
        return next((n for n in self.grouping if all(n in group for group in groupings)), None)


@lru_cache(MOST_KEPT)
def read_bars(formula: str) -> MixedFormula:
    """Tell a formula's bars from its fixed part.

    Raises InputError where bars are not written as lme4 has them, or either side cannot be read.
    """
    try:
        mixed = _read(formula)
    except Refusal as refusal:
        raise InputError(f"formula {quoted(formula)}: {refusal}") from None
    for bar in mixed.bars:
        mixed.names_of(bar)
    return mixed


@dataclass(frozen=True)
class _Summand:
    """What stands between two of the signs + and - that are in no parentheses."""

    sign: str
    tokens: Sequence[Token]
    text: str

    @property
    def has_bar(self) -> bool:
        return any(token.text in BARS for token in self.tokens)


def _read(formula: str) -> MixedFormula:
    tokens = tokens_of(formula)
    tildes = [token.start for token in tokens if token.text == "~"]
    if not tildes or not any(token.text in BARS for token in tokens):
        return MixedFormula(formula, formula, ())
    response = formula[: tildes[0]].strip()
    right = [token for token in tokens if token.start > tildes[0]]
    summands = list(_summands(right, formula))
    bars: list[Bar] = []
    for summand in summands:
        if summand.has_bar:
            bars += _bars(summand, formula)
    fixed = [summand for summand in summands if not summand.has_bar]
    return MixedFormula(formula, f"{response} ~ {_sum(fixed) or '1'}", tuple(bars))


def _summands(tokens: Sequence[Token], formula: str) -> Iterator[_Summand]:
    depth, sign, own = 0, "+", list[Token]()
    for k, token in enumerate(tokens):
        depth += (token.text in "([") - (token.text in ")]")
        if depth == 0 and token.text in ("+", "-"):
            if k > 0:
                yield _summand(sign, own, formula)
            sign, own = token.text, []
        else:
            own.append(token)
    yield _summand(sign, own, formula)


def _summand(sign: str, tokens: Sequence[Token], formula: str) -> _Summand:
    if not tokens:
        raise Refusal(f"nothing stands next to a {sign}; terms are joined by + or * or :")
    return _Summand(sign, tokens, formula[tokens[0].start : tokens[-1].end])


def _sum(summands: Sequence[_Summand]) -> str:
    """Summands with their signs, as text."""
    return "".join(f" {each.sign} {each.text}" for each in summands).removeprefix(" + ").strip()


def _bars(summand: _Summand, formula: str) -> Iterator[Bar]:
    """The terms that one pair of parentheses with a bar stands for."""
    first, *inside, last = summand.tokens if len(summand.tokens) > 2 else [*summand.tokens] * 3
    at = [k for k, token in enumerate(inside) if token.text in BARS]
    brackets = [token.text for token in inside[: at[0]] if token.text in "()"] if at else []
    closed = first.text == "(" and last.text == ")" and brackets.count("(") == brackets.count(")")
    if summand.sign != "+" or len(at) != 1 or not closed:
        raise Refusal(MISPLACED_BAR)
    left, bar, right = inside[: at[0]], inside[at[0]], inside[at[0] + 1 :]
    if not left:
        raise Refusal(f"nothing stands left of the bar in {summand.text}; write 1 for an intercept")
    terms = list(_summands(left, formula))
    intercept, others = True, list[_Summand]()
    for term in terms:
        if term.text in ("0", "1"):
            intercept = (term.sign == "+") == (term.text == "1")
        else:
            others.append(term)
    if not intercept and not others:
        raise Refusal(f"{summand.text} has no effects; write 1 for an intercept, or leave it out")
    for grouping in _groupings(right, summand.text):
        if bar.text == "|" or not others:
            text = "".join(f" {term.sign} {term.text}" for term in others)
            yield Bar(f"{int(intercept)}{text}", grouping)
            continue
        if intercept:
            yield Bar("1", grouping)
        for text in _apart(_sum(others)):
            yield Bar(f"0 + {text}", grouping)


def _groupings(tokens: Sequence[Token], bar: str) -> list[tuple[str, ...]]:
    """The grouping factors right of a bar: id/session is id and id:session."""
    names, signs = tokens[::2], tokens[1::2]
    known = all(token.kind in ("name", "quoted") for token in names)
    if not known or len(tokens) % 2 == 0 or any(sign.text not in (":", "/") for sign in signs):
        raise Refusal(
            f"right of the bar in {bar} expected columns joined by : or /, as in (1 | id) or "
            "(1 | id/session); a column that is to be computed first is added to the table"
        )
    columns = [column_name(token.kind, token.text) for token in names]
    if twice := [name for name in columns if columns.count(name) > 1]:
        raise Refusal(f"{quoted(twice[0])} stands twice right of the bar in {bar}; remove one")
    ends = [k + 1 for k, sign in enumerate(signs) if sign.text == "/"]
    return [tuple(columns[:end]) for end in (*ends, len(columns))]


def _apart(terms: str) -> list[str]:
    """The terms that a sum or product of some stands for, each as text: a * b is a, b and a:b."""
    # Formulaic is imported where it is needed only, so that a config is checked in a moment.
    from twolevel.design.factor_codes import terms_of

    names, prefix = parse(f"_ ~ 0 + {terms}"), "v"
    while prefix in terms:
        prefix += "v"

    def shown(expr: str) -> str:
        place = rf"{prefix}(\d+)_"
        return re.sub(place, lambda found: written(names.variables[int(found[1])]), expr)

    found = terms_of(names.right_side(prefix))
    return [":".join(shown(factor.expr) for factor in term.factors) for term in found]


def written(name: str) -> str:
    """A column's name as it stands in a formula."""
    return name if re.fullmatch(r"[^\W\d][\w.]*", name) else f"`{name}`"
