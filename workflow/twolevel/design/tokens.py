"""Formulas cut into names, numbers and signs, before anything is made of them."""

import re
from typing import NamedTuple

from twolevel.text.errors import quoted

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<quoted>`[^`]*`)
    | (?P<string>"[^"]*"|'[^']*')
    | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    | (?P<function>[^\W\d][\w.]*(?=\())
    | (?P<keyword>[^\W\d]\w*(?=\s*=))
    | (?P<name>[^\W\d][\w.]*)
    | (?P<operator>\*\*|\|\||[-+*/:^(),~=|\[\]])
    """,
    re.VERBOSE,
)
_MAX_LENGTH, _MAX_TOKENS = 2000, 400


class Token(NamedTuple):
    """A piece of a formula, with its kind and where it starts."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


class Refusal(Exception):
    """What is wrong with a formula; who reads it adds which formula it is."""

    def __str__(self) -> str:
        """The reason, in one line."""
        return " ".join(super().__str__().split())


def tokens_of(formula: str) -> list[Token]:
    """Cut a formula into its tokens; raises Refusal where that cannot be done."""
    if len(formula) > _MAX_LENGTH:
        raise Refusal(f"longer than {_MAX_LENGTH} characters; use fewer or shorter column names")
    tokens: list[Token] = []
    at = 0
    while at < len(formula):
        match = _TOKEN.match(formula, at)
        if match is None:
            raise Refusal(_strange(formula, at))
        at = match.end()
        kind, text = str(match.lastgroup), match.group()
        # Formulaic finds the end of a call without regard to quotes, so these could hide code.
        if kind == "string" and (bad := re.search(r"[][\"'`(){}\\%]", text[1:-1])):
            raise Refusal(
                f"{text} holds the character {bad.group()} which formulas cannot quote; rename "
                "the level in the table"
            )
        if kind != "space":
            tokens.append(Token(kind, text, match.start()))
    if len(tokens) > _MAX_TOKENS:
        raise Refusal(f"more than {_MAX_TOKENS} names and signs; write fewer terms")
    return tokens


def _strange(formula: str, at: int) -> str:
    """Explain a character that starts no token."""
    sign = formula[at]
    if sign == "." and formula[at - 1 : at] not in (")", "]"):
        return ". (all other columns) is not understood; name each column"
    if sign in "`\"'":
        return f"the quote {sign} is not closed"
    if sign.isdigit():
        start = formula[at:].split()[0]
        return f"a name cannot start with a digit in {quoted(start)}; put it between backticks"
    return (
        f"the character {quoted(sign)} has no meaning here; a column name with special characters "
        "goes between backticks, as in `reaction time`"
    )


def column_name(kind: str, text: str) -> str:
    """The column that a name, or text between backticks, stands for."""
    name = text[1:-1] if kind == "quoted" else text
    if not name.strip():
        raise Refusal("a column name between backticks is empty")
    return name
