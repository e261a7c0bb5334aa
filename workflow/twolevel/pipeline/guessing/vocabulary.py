"""Words in the names of columns, in the languages that such tables come in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from keyword import iskeyword

from twolevel.design.formula import CONTRASTS, TRANSFORMS

SUBJECT = (
    r"subj|(^|[_ .-])ids?\d*$|^ids?[_ .-]|^[psu]id$|ppt|partic|proband"
    r"|(^|[_ .-])vpn?\d*([_ .-]|$)|versuchsp|patient"
    r"|person|case|child|pupil|student|respond|observer|user|animal|sujet|sujeto"
    r"|name|code|nr$|^no$|rat$|mouse"
)
RESPONSE = (
    r"^y$|score|resp|value|^rt|rt$|time_ms|outcome|^dv$|measure|rating|points|yield|level_of"
    r"|latency|reaction|reaktion|wert$|punkte|thresh"
)
CONDITION = (
    r"cond|time|visit|day|week|month|session|phase|trial|treat|dose|occasion|wave|task|item"
    r"|beding|zeit|woche|sitzung|messz|aufgabe|period"
)
# What differs between people or things that are measured once, and groups them.
GROUP = (
    r"group|gruppe|sex|gender|geschlecht|(^|[_ .-])arm$|class|klasse|school|schule|site|cent(er|re)"
    r"|region|cohort|kohorte|species|diet|feed|spray|drug|therap|treat|variety|control|status|edu"
    r"|country|strain|genotype|ethnic|marital|type"
)
AGE = r"^age|(^|[_ .-])age$|alter$|year|jahr"
# What describes people, and is no measurement under conditions.
ATTRIBUTE = (
    rf"{AGE}|birth|geburt|weight|height|gewicht|bmi|(^|[_ .-])iq|date|datum|income|einkommen"
)
# What numbers the rows, or those of one subject.
ORDER = (
    r"trial|durchgang|^row|rowname|index|order|^seq|^obs([_ .-]|$)|observation|record|^meas"
    r"|^nr$|^no$|^x$|unnamed|repet|^rep\d*$"
)
# Numbers in such columns are labels, however many there are.
LABELS = r"item|stim|word|picture|question|frage|aufgabe|task|block|session|sitzung|list"
# What is right or wrong is measured, and no condition.
MEASURED = r"acc|correct|korrekt|richtig|error|fehler|hit|resp"
TIME = (
    r"(pre|post|before|during|after|baseline|base|follow.?up|fu|start|mid|end|vor|nach|vorher"
    r"|nachher|t|day|week|month|year|tag|woche|monat|jahr)[_ .-]?(test)?\d*"
)
# Different dimensions of a thing are different quantities.
DIMENSION = r"length|width|depth|height|weight|mass|area|volume|laenge|länge|breite"


def called(name: str, words: str) -> bool:
    """Whether some of these words stand in a name."""
    return re.search(words, name.casefold()) is not None


def called_subject(name: str) -> bool:
    """Whether a column is called as one that names the subjects."""
    named = called(name, SUBJECT) or re.search(r"[a-z]I[Dd]$", name) is not None
    return named and not called(name, f"{CONDITION}|{GROUP}|{ATTRIBUTE}|{ORDER}")


def usable(name: str) -> bool:
    """Whether a name can stand in formulas as it is, without a meaning of its own there."""
    return name.isidentifier() and not iskeyword(name) and name not in CONTRASTS | TRANSFORMS


def free(name: str, taken: Iterable[str]) -> str:
    """A name that is not taken: this one, or with the next number."""
    taken = set(taken)
    numbered = (f"{name}{k}" for k in range(2, len(taken) + 3))
    return next(n for n in (name, *numbered) if n not in taken)
