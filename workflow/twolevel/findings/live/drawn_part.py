"""A part of what a subject draws: one random variable of the model, in words, symbols, numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from twolevel.findings.varying.random_words import in_singular
from twolevel.text.markdown import Markdown, in_html


@dataclass(frozen=True)
class Part:
    """Normal values of a subject, one for each of its levels, with the standard deviation sd.

    of (K,) is the level that each of a subject's observations is in; at (K,) what a value is
    multiplied by there, 1 where it is None. The mean square of its stratum, orthogonal to those of
    the parts in `above` (their places), has `size` times the variance in expectation. Values are
    shown around `centre`. what is their name in the plural; symbol and spread, that of sd, are
    HTML; tests are the terms whose F tests divide by that mean square.
    """

    what: str
    symbol: Markdown
    spread: Markdown
    sd: float
    size: float
    of: tuple[int, ...]
    at: tuple[float, ...] | None = None
    above: tuple[int, ...] = ()
    centre: float = 0.0
    tests: tuple[str, ...] = ()

    @property
    def n_levels(self) -> int:
        """How many values a subject has."""
        return max(self.of) + 1

    @property
    def last(self) -> str:
        """What the values of one subject are called."""
        return self.what if self.n_levels > 1 else in_singular(self.what)

    @property
    def times(self) -> Markdown:
        """The variance times the size, in HTML: 6 sigma_b^2."""
        number = f"{self.size:.4g}" if self.size > 1 else ""
        return Markdown(f"{number}{self.spread}²")

    @property
    def numbers(self) -> dict[str, Any]:
        """What the page's program needs to draw it."""
        return {
            "sd": self.sd,
            "centre": self.centre,
            "size": self.size,
            "of": self.of,
            "at": self.at,
            "above": self.above,
        }


def variable(letter: str, index: str) -> Markdown:
    """A letter with an index, in HTML."""
    return Markdown(f"<var>{letter}<sub>{in_html(index)}</sub></var>")


def residuals(sd: float, observations: int, above: int) -> Part:
    """The part that is left within all others, of which there are so many."""
    return Part(
        what="residuals",
        symbol=variable("η", "ij"),
        spread=variable("σ", "w"),
        sd=sd,
        size=1,
        of=tuple(range(observations)),
        above=tuple(range(above)),
    )


def means(sd: float, observations: int, centre: float, spread: Markdown | None = None) -> Part:
    """The part that all of a subject's observations have in common."""
    return Part(
        what="means",
        symbol=variable("μ", "i"),
        spread=spread or variable("σ", "b"),
        sd=sd,
        size=observations,
        of=(0,) * observations,
        centre=centre,
    )


def effects(within: Sequence[str], sd: float, of: Sequence[int], above: Sequence[int]) -> Part:
    """What a subject has of its own at each level, or combination of levels, of factors."""
    return Part(
        what=f"effects of {' × '.join(within)}",
        symbol=variable("S", ",".join(["i", *within])),
        spread=variable("σ", ",".join(within)),
        sd=sd,
        size=len(of) // (max(of) + 1),
        of=tuple(of),
        above=tuple(above),
    )


def slopes(number: str, sd: float, at: Sequence[float], above: Sequence[int]) -> Part:
    """What a subject's slope differs by from the course that all share; `at` has the mean 0."""
    return Part(
        what=f"slopes of {number}",
        symbol=variable("B", "i"),
        spread=variable("σ", number),
        sd=sd,
        size=sum(value * value for value in at),
        of=(0,) * len(at),
        at=tuple(at),
        above=tuple(above),
    )
