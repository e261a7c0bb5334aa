"""Formulas as users type them: which columns they name, and that they do nothing else.

Formulaic evaluates function calls in a formula as Python. So a formula is read here first, by a
grammar of its own that knows formulaic's operators and a fixed list of its transforms, and what
falls outside is refused. Everything that `parse` accepts means the same to formulaic, which sees
columns under names of ours only: a column may be called `class`, `True`, `C` or `1`.
"""

import ast
from dataclasses import dataclass, field
from functools import lru_cache

from twolevel.design.tokens import Refusal, Token, column_name, tokens_of
from twolevel.text.errors import InputError, did_you_mean, listed, quoted

CONTRASTS = frozenset(
    {f"contr.{name}" for name in ("treatment", "sum", "helmert", "poly", "diff", "SAS")}
    | {"Treatment", "Sum", "Helmert", "Poly", "Diff"}
)
# Formulaic's transforms except `np` (all of numpy), `lag` (would reach into the row above, which
# may be another subject's), `hashed`, `Q` (backticks do it) and `exp10` (formulaic computes x**10).
TRANSFORMS = frozenset(
    {"C", "I", "bs", "cc", "center", "cr", "cs", "exp", "exp2", "log", "log10", "log2", "poly"}
    | {"scale", "standardize"}
)

BARS = ("|", "||")
MISPLACED_BAR = (
    "random effects such as (1 | id) stand in parentheses of their own, with one bar, and are "
    "added to the other terms by +, as in score ~ time + (1 | id)"
)
_MAX_TERMS, _MAX_POWER = 1000, 10
MOST_KEPT = 64  # formulas that have been read
# Transforms that make as many columns as they are told to.
_SPREADING, _MAX_COLUMNS = frozenset({"bs", "cc", "cr", "cs", "poly"}), 50
_CENTRED = frozenset({"cc", "cr", "cs"})


@dataclass(frozen=True)
class FormulaNames:
    """The columns that a formula names: the response, and those on the right-hand side in order.

    pieces is the right-hand side cut where columns stand, each of which is its position among the
    variables; factors are those that stand in C(), bare those that stand in no function.
    """

    response: str
    variables: tuple[str, ...]
    pieces: tuple[str | int, ...] = field(default=(), compare=False)
    factors: frozenset[str] = field(default=frozenset(), compare=False)
    bare: frozenset[str] = field(default=frozenset(), compare=False)

    def right_side(self, prefix: str) -> str:
        """The right-hand side with the column k called <prefix>k_."""
        return "".join(p if isinstance(p, str) else f"{prefix}{p}_" for p in self.pieces)


@lru_cache(MOST_KEPT)
def parse(formula: str, place: str | None = None) -> FormulaNames:
    """Read the column names in a formula without evaluating anything.

    `place` begins the messages instead of the formula itself.

    Raises InputError where the text is not a fixed-effects formula or calls anything but
    formulaic's own transforms and contrasts.
    """
    try:
        return _read(formula)
    except Refusal as refusal:
        raise InputError(f"{place or f'formula {quoted(formula)}'}: {refusal}") from None


def _read(formula: str) -> FormulaNames:
    tokens = tokens_of(formula)
    tildes = [i for i, (kind, text, _) in enumerate(tokens) if (kind, text) == ("operator", "~")]
    if len(tildes) != 1:
        found = "no" if not tildes else "more than one"
        raise Refusal(f"found {found} ~, expected response ~ terms, for example score ~ time")
    if any(text in BARS for _, text, _ in tokens):
        raise Refusal(MISPLACED_BAR)
    left, right = tokens[: tildes[0]], tokens[tildes[0] + 1 :]
    if not left or not right:
        side, example = ("right", "score ~ 1") if left else ("left", "score ~ time")
        raise Refusal(f"nothing stands on the {side} of ~; write for example {example}")
    if len(left) > 1 or left[0][0] not in ("name", "quoted"):
        raise Refusal(
            "the left of ~ must be one column of the table; to analyse a transformed response, "
            "add it to the table as a column and name that"
        )
    response = column_name(*left[0][:2])
    columns, bare, insertions = _right_side(right)
    variables = tuple(dict.fromkeys(columns.values()))
    if response in variables:
        raise Refusal(f"the response {quoted(response)} is also on the right of ~; remove it there")
    if not variables and [text for _, text, _ in right] != ["1"]:
        raise Refusal("no column stands on the right of ~; a mean alone is written response ~ 1")
    pieces: list[str | int] = []
    at = right[0][2]
    for k, (_, text, start) in enumerate(right):
        if k in columns:
            pieces += [formula[at:start], variables.index(columns[k])]
            at = start + len(text)
        elif k in insertions:
            pieces.append(formula[at:start] + insertions[k])
            at = start
    return FormulaNames(
        response,
        variables,
        (*pieces, formula[at:]),
        frozenset(name for k, name in columns.items() if k > 1 and right[k - 2][1] == "C"),
        bare,
    )


def _right_side(
    tokens: list[Token],
) -> tuple[dict[int, str], frozenset[str], dict[int, str]]:
    """Check the right-hand side; which tokens are columns, which of these stand in no function,
    and what to insert before other tokens."""
    names: list[str] = []
    places: list[int] = []
    bare: set[str] = set()
    code: list[str] = []
    # One entry per open bracket: does it, or one around it, belong to a function call?
    nested: list[bool] = []
    before = ""
    for place, (kind, text, _) in enumerate(tokens):
        in_call = bool(nested) and nested[-1]
        if text in ("(", "["):
            if text == "[" and not in_call:
                raise Refusal("square brackets have no meaning here; use ( and )")
            nested.append(in_call or before == "function")
        elif text in (")", "]"):
            if not nested:
                raise Refusal("the parentheses do not match: one is closed that was not opened")
            nested.pop()
        elif kind == "function":
            _check_function(text)
        elif kind == "number" and not in_call and before not in ("**", "^"):
            if nested:
                raise Refusal("0 and 1 switch the intercept and stand outside parentheses")
            if len(text) > 1 and text[0] == "0":
                raise Refusal(f"found {text}, expected 0 or 1")
        before = kind if kind != "operator" else text
        if kind in ("name", "quoted") and not (in_call and text in ("True", "False", "None")):
            names.append(column_name(kind, text))
            places.append(place)
            bare.update([] if in_call else [names[-1]])
            text = f"_{len(names) - 1}"
        elif not in_call:
            # `:` binds more closely than `*`; Python's nearest operator is `@`.
            text = {"^": "**", ":": "@"}.get(text, text)
        code.append(text)
    if nested:
        raise Refusal("the parentheses do not match: one is opened and not closed")
    try:
        tree = ast.parse(" ".join(code), mode="eval").body
    except SyntaxError:
        raise Refusal(
            "an operator is missing, doubled or misplaced; terms are joined by + or * or :"
        ) from None
    checker = _Checker(names)
    checker.terms(tree)
    columns = {place: names[i] for i, place in enumerate(places) if i not in checker.contrasts}
    return columns, frozenset(bare), _constraints(tokens)


def _constraints(tokens: list[Token]) -> dict[int, str]:
    """What to insert before the brackets that close splines: cr(x, df=4), cc() and cs().

    Their columns add up to 1, as the intercept does, unless they are centred.
    """
    inserted, opened = {}, []
    for place, (_, text, _) in enumerate(tokens):
        if text == "(":
            opened.append(place)
        elif text == ")":
            start = opened.pop()
            words = [word for _, word, _ in tokens[start:place]]
            if tokens[start - 1][1] in _CENTRED and "constraints" not in words:
                inserted[place] = ", constraints='center'"
    return inserted


def _check_function(name: str) -> None:
    if name not in TRANSFORMS | CONTRASTS:
        raise Refusal(
            f"{name}() is not a function that formulas know"
            f"{did_you_mean(name.split('.')[-1], TRANSFORMS | CONTRASTS)}; "
            f"use {listed(sorted(TRANSFORMS), 20)} or contr.treatment() and its like, "
            "or compute it as a column of the table"
        )


class _Checker:
    """Walks the right-hand side as a Python tree in which every column is `_` and its number."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.contrasts: set[int] = set()

    def terms(self, node: ast.expr, sum_allows_number: bool = True) -> int:
        """Check one expression of the formula; return how many terms it can grow to."""
        match node:
            case ast.Name():
                count = 1
            case ast.Call():
                self.call(node)
                count = 1
            case ast.Constant(value=int(value)) if sum_allows_number and value in (0, 1):
                count = 1
            case ast.UnaryOp(op=ast.UAdd() | ast.USub()):
                count = self.terms(node.operand, sum_allows_number)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                count = self.terms(node.left, True) + self.terms(node.right, True)
            case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=int(power))):
                if not 1 <= power <= _MAX_POWER:
                    raise Refusal(f"a power must be between 1 and {_MAX_POWER}, found {power}")
                count = self.terms(node.left, False) ** power
            case ast.BinOp(op=ast.Mult() | ast.Div() | ast.MatMult()):
                left, right = self.terms(node.left, False), self.terms(node.right, False)
                count = left * right + left + right
            case ast.Constant(value=value):
                raise Refusal(
                    f"found {value!r} among the terms; only 0 and 1 (the intercept) may be added, "
                    "and arithmetic goes into I(), as in I(2 * age)"
                )
            case _:
                raise Refusal("found something that is neither a column nor one of + - * : / ^")
        if count > _MAX_TERMS:
            raise Refusal(f"would grow to more than {_MAX_TERMS} terms; write fewer")
        return count

    def call(self, node: ast.Call) -> None:
        """Check one function call and what it is given."""
        function = ast.unparse(node.func)
        if function not in TRANSFORMS:
            place = "stands in C(), as in C(time, contr.sum())"
            raise Refusal(
                f"the contrast {function}() {place}"
                if function in CONTRASTS
                else "an operator is missing, or a blank stands between a function and its ("
            )
        sizes = [*node.args[1:], *(o.value for o in node.keywords if o.arg in ("df", "degree"))]
        for size in sizes if function in _SPREADING else ():
            if ast.unparse(size).isdigit() and int(ast.unparse(size)) > _MAX_COLUMNS:
                raise Refusal(
                    f"{function}() makes at most {_MAX_COLUMNS} columns, found {ast.unparse(size)}"
                )
        for i, argument in enumerate(node.args):
            if function != "C" or i != 1 or not self.contrast(argument):
                self.argument(argument)
        for option in node.keywords:
            if option.arg is None or option.arg.startswith("_"):
                raise Refusal(f"{function}() has no option {option.arg or '**'}; leave it out")
            if function == "C" and option.arg == "levels":
                raise Refusal(
                    "C() takes no levels here, as rows with others would be lost; give their order "
                    "by the study's key levels:"
                )
            if function != "C" or option.arg != "contrasts" or not self.contrast(option.value):
                self.constants(option.value)

    def contrast(self, node: ast.expr) -> bool:
        """Say whether this is a contrast, as `contr.sum` or `Treatment("t2")`, and check it."""
        if isinstance(node, ast.Name) and self.name(node) in CONTRASTS:
            self.contrasts.add(int(node.id[1:]))
            return True
        if not isinstance(node, ast.Call) or ast.unparse(node.func) not in CONTRASTS:
            return False
        for value in [*node.args, *(option.value for option in node.keywords)]:
            self.constants(value)
        return True

    def name(self, node: ast.Name) -> str:
        return self.names[int(node.id[1:])]

    def constants(self, node: ast.expr) -> None:
        """Check a setting: a literal or a list of literals, so that nothing is computed."""
        match node:
            case ast.Constant() | ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
                return
            case ast.List(elts=values) | ast.Tuple(elts=values):
                for value in values:
                    self.constants(value)
            case _:
                raise Refusal("settings of a function must be plain numbers, texts or [lists]")

    def argument(self, node: ast.expr) -> None:
        """Check what a transform is given: columns, numbers, arithmetic with them, or settings."""
        match node:
            case ast.Name():
                return
            case ast.Call():
                self.call(node)
            case ast.UnaryOp(op=ast.UAdd() | ast.USub()):
                self.number(node.operand)
            case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=int(power) | float(power))):
                # Powers of plain numbers could take forever: Python computes them exactly.
                if power > _MAX_POWER or not any(isinstance(n, ast.Name) for n in ast.walk(node)):
                    raise Refusal(f"a power is of a column, and at most {_MAX_POWER}")
                self.number(node.left)
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
                self.number(node.left)
                self.number(node.right)
            case ast.Constant() | ast.List() | ast.Tuple():
                self.constants(node)
            case _:
                raise Refusal(
                    "inside a function only columns, numbers and + - * / ** are understood; "
                    "compute anything else as a column of the table"
                )

    def number(self, node: ast.expr) -> None:
        """Check one side of an arithmetic sign; text and lists would be repeated by `*`."""
        if isinstance(node, ast.List | ast.Tuple) or (
            isinstance(node, ast.Constant) and not isinstance(node.value, int | float)
        ):
            raise Refusal("arithmetic inside a function is for columns and numbers only")
        self.argument(node)
