"""Bars of a formula: what lme4's formulas say is random, apart from what is fixed.

    score ~ time + (1 + day | id)   ->   score ~ time   and   1 + day, of each level of id

Left of a bar stand terms as in any formula; right of it columns, whose combinations are the levels
of the grouping factor: (1 | id:session), and (1 | id/session) for (1 | id) + (1 | id:session)
(Bates, Maechler, Bolker & Walker 2015, table 2). Like `design.formula`, this evaluates nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from twolevel.design.formula import BARS, MISPLACED_BAR, MOST_KEPT, FormulaNames, parse
from twolevel.design.tokens import Refusal, Token, column_name, tokens_of
from twolevel.text.errors import InputError, listed, quoted

# Where to go with what is not nested.
CROSSED = (
    "Models of crossed factors, as of subjects and items, are fitted by lme4 (R), pymer4 (Python) "
    "and MixedModels.jl (Julia)"
)


@dataclass(frozen=True)
class Bar:
    """One random term: `formula` stands left of the bar, the columns `grouping` right of it."""

    formula: str
    grouping: tuple[str, ...]

    def within(self, subject: str) -> tuple[str, ...]:
        """The columns right of the bar besides the subject's."""
        return tuple(name for name in self.grouping if name != subject)

    def __str__(self) -> str:
        """The term as lme4 writes it."""
        return f"({self.formula} | {':'.join(map(written, self.grouping))})"


@dataclass(frozen=True)
class MixedFormula:
    """A formula in two: the fixed part, which has no bars, and its bars.

    names are the columns of the fixed part, left those that stand left of each bar.
    """

    text: str
    fixed: str
    bars: tuple[Bar, ...]
    names: FormulaNames
    left: Mapping[Bar, FormulaNames]

    @classmethod
    def of(cls, text: str, fixed: str, bars: Iterable[Bar]) -> MixedFormula:
        """Read both parts; raises InputError where one of them cannot be read."""
        place, bars = f"formula {quoted(text)}", tuple(bars)
        names = parse(fixed, None if fixed == text else place)
        response = written(names.response)
        left = {bar: parse(f"{response} ~ {bar.formula}", f"{place}: {bar}") for bar in bars}
        return cls(text, fixed, bars, names, left)

    @property
    def grouping(self) -> tuple[str, ...]:
        """The columns that stand right of bars."""
        return tuple(dict.fromkeys(name for bar in self.bars for name in bar.grouping))

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns that stand right of bars only: they name levels, and have no effect."""
        effects = {n for names in (self.names, *self.left.values()) for n in names.variables}
        return tuple(name for name in self.grouping if name not in effects)

    def refuse_other_subject(self, subject: str) -> None:
        """Refuse a subject that is given and that bars do not name. Raises InputError."""
        if self.bars and subject not in self.grouping:
            raise InputError(
                f"formula {quoted(self.text)}: the bars group by "
                f"{listed(map(quoted, self.grouping))}, and the subject is given as "
                f"{quoted(subject)}; leave the subject out, or add (1 | {written(subject)})"
            )

    @property
    def random_columns(self) -> tuple[str, ...]:
        """All columns that bars name."""
        left = (name for names in self.left.values() for name in names.variables)
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
        return MixedFormula.of(formula, *_read(formula))
    except Refusal as refusal:
        raise InputError(f"formula {quoted(formula)}: {refusal}") from None


@dataclass(frozen=True)
class _Summand:
    """What stands between two of the signs + and - that are in no parentheses."""

    sign: str
    tokens: Sequence[Token]
    text: str

    @property
    def has_bar(self) -> bool:
        return any(token.text in BARS for token in self.tokens)


def _read(formula: str) -> tuple[str, list[Bar]]:
    """The fixed part of a formula, and its bars."""
    tokens = tokens_of(formula)
    tildes = [token.start for token in tokens if token.text == "~"]
    if not tildes or not any(token.text in BARS for token in tokens):
        return formula, []
    response = formula[: tildes[0]].strip()
    right = [token for token in tokens if token.start > tildes[0]]
    summands = list(_summands(right, formula))
    bars: list[Bar] = []
    for summand in summands:
        if summand.has_bar:
            bars += _bars(summand, formula)
    fixed = [summand for summand in summands if not summand.has_bar]
    return f"{response} ~ {_sum(fixed) or '1'}", bars


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
