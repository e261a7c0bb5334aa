"""A claim: one thing that a report says, with the numbers that it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from twolevel.text.markdown import Markdown


@dataclass(frozen=True)
class Claim:
    """One thing that a report says.

    of: what it is about: a term as the formula writes it, or "means", "pairs", "sphericity",
    "subjects", "agreement" and the like. said: the sentence. clear: whether a test shows it at
    the study's level; None where no test decides. numbers: those that it rests on, by name.
    """

    of: str
    said: Markdown
    clear: bool | None = None
    numbers: Mapping[str, float | None] = field(default_factory=dict)
