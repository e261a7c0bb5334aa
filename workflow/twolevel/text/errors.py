"""What a user can fix, and the words that its messages share."""

import difflib
from collections.abc import Iterable
from unicodedata import normalize


class TwoLevelError(Exception):
    """A message for the user, who needs no traceback to act on it.

    It may be shown in a terminal, whatever text of a stranger stands in it.
    """

    def __init__(self, message: object) -> None:
        """Take the message's lines."""
        super().__init__("\n".join(map(visible, str(message).expandtabs().split("\n"))))


class InputError(TwoLevelError, ValueError):
    """Something in the config, a table or a formula that its author can fix.

    The message is one line that names the place, what was found and the remedy
    (the config's message has one such line for each problem).
    """


def quoted(value: object) -> str:
    """Put text found in a file between quotes, on one line and not too long to read."""
    text = str(value)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    return f'"{visible(text)}"'


def visible(text: str) -> str:
    """Text on one line: characters that cannot be seen, or that command a terminal, by number."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def listed(names: Iterable[object], most: int = 12) -> str:
    """List names for a message, the first `most` of them."""
    names = list(names)
    text = ", ".join(str(name) for name in names[:most])
    return f"{text} and {len(names) - most} more" if len(names) > most else text


def one_of(names: Iterable[str]) -> str:
    """Names of which one is expected, for a message: 'a', 'b' or 'c'."""
    return " or ".join(", ".join(map(repr, names)).rsplit(", ", 1))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Say which known name is close to this one, as ` (did you mean "x"?)`, or nothing."""
    known = list(known)
    if any(normalize("NFC", k) == normalize("NFC", name) for k in known if k != name):
        return " (but one whose letters are encoded in another way; copy that)"
    folded = {k.strip().casefold(): k for k in reversed(known)}
    close = difflib.get_close_matches(name.strip().casefold(), folded, n=1)
    return f" (did you mean {quoted(folded[close[0]])}?)" if close else ""
