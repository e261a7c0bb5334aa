"""What a page draws other subjects from: the fitted model, where it is of a kind for this."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations, product
from math import prod, sqrt
from typing import Any

from twolevel.findings.live.drawn_part import Part, effects, means, residuals, slopes, variable
from twolevel.findings.results import Results
from twolevel.findings.varying.random_words import variances
from twolevel.random.effect_names import INTERCEPT
from twolevel.text.markdown import Markdown

# Of more observations of one subject, a histogram of residuals would be full after the first.
MOST_OBSERVATIONS = 400
# A spread below this share of the largest could hardly be seen on the largest one's scale.
SEEN_BESIDE = 1 / 8
# Colours that the page's style has for parts between the first and the last.
OWN_COLOURS = 3


@dataclass(frozen=True)
class Drawn:
    """The model (REML) by which another subject would come to its observations.

    Each of them is the mean plus what every part has for it. The last part is the residuals, and a
    part comes behind all that are above it. correlation is that of the means and the slopes of
    lines, whose means are what they have at `middle`, a value of the condition in words. shared:
    whether effects of what a subject's observations are under, the same for all, are estimated
    too. subjects: how many the study has.
    """

    mean: float
    parts: tuple[Part, ...]
    shared: bool
    subjects: int
    correlation: float = 0.0
    middle: str | None = None

    @property
    def observations(self) -> int:
        """How many observations a subject has."""
        return len(self.parts[-1].of)

    @property
    def one_scale(self) -> bool:
        """Whether all that is in the response's unit can be seen on one scale."""
        sds = [part.sd for part in self.parts if part.at is None and part.sd > 0]
        return min(sds) >= SEEN_BESIDE * max(sds)

    @property
    def covariance(self) -> float:
        """That of lines' means and slopes."""
        return self.correlation * self.parts[0].sd * self.parts[1].sd

    def colour(self, place: int) -> Markdown:
        """The class that colours a part: `between` for the first, `within` for the residuals."""
        if place == len(self.parts) - 1:
            return Markdown("within")
        return Markdown(f"own-{(place - 1) % OWN_COLOURS + 1}" if place else "between")

    @property
    def numbers(self) -> dict[str, Any]:
        """What the page's program needs; a part's scale is the sd that its axis is made for."""
        return {
            "mean": self.mean,
            "observations": self.observations,
            "subjects": self.subjects,
            "shared": self.shared,
            "correlation": self.correlation,
            "parts": [part.numbers | {"scale": self._scale(part)} for part in self.parts],
        }

    def _scale(self, part: Part) -> float:
        largest = max(each.sd for each in self.parts if each.at is None)
        if part.at is not None:
            return part.sd or largest / sqrt(part.size / self.observations)
        return largest if self.one_scale or part.sd == 0 else part.sd

    def makes_up(self, place: int) -> list[tuple[int, Part]]:
        """The parts, with their places, that the mean square of the part at `place` is made of.

        E(MS_u) is the sum of size_v sigma_v^2 over u itself and all that it is above (Searle,
        Casella & McCulloch 1992, sec. 4.4), where a subject's observations are balanced.
        """
        return [(k, v) for k, v in enumerate(self.parts) if k == place or place in v.above]


def drawn_again(found: Results) -> Drawn | None:
    """The model that other subjects are drawn from.

    None where subjects have other things of their own than a mean, a line in the condition, and
    effects of levels in orthogonal strata, where they have too few or too many observations, and
    where nothing varies within them.
    """
    model = _of_lines(found) or _of_levels(found)
    if model is None or found.mixed.sigma_within <= 0 or model.observations > MOST_OBSERVATIONS:
        return None
    degrees: list[int] = []
    for part in model.parts:
        degrees.append(part.n_levels - sum(degrees[k] for k in part.above))
    return model if min(degrees) > 0 else None


def _see_all(found: Results) -> bool:
    return found.condition is not None and found.design.complete.n_subjects > 1


def _of_levels(found: Results) -> Drawn | None:
    """Subjects with means or effects of levels; two of these need a part for what both share."""
    design, mixed = found.design, found.mixed
    if any(term.effects != [INTERCEPT] for term in mixed.random_terms):
        return None
    rows = [(each.own[0].within, each.row.vcov**0.5) for each in variances(mixed)[:-1]]
    rows.sort(key=lambda row: len(row[0]))
    sets = [frozenset(names) for names, _ in rows]
    if any(one & other not in sets for one, other in permutations(sets, 2)):
        return None
    sizes = {name: len(levels) for name, levels in design.within_factors.items()}
    factors = list(dict.fromkeys(name for names, _ in rows for name in names))
    observations = design.per_subject[1]
    cells = prod(sizes.get(name, 0) for name in factors)
    if not cells or observations % cells:
        return None
    counts = [*(sizes[name] for name in factors), observations // cells]
    at = [dict(zip(factors, row, strict=False)) for row in product(*map(range, counts))]
    parts = []
    for k, (names, sd) in enumerate(rows):
        if not names:
            parts.append(means(sd, observations, mixed.grand_mean.estimate))
            continue
        levels = list(product(*(range(sizes[name]) for name in names)))
        of = [levels.index(tuple(row[name] for name in names)) for row in at]
        parts.append(effects(names, sd, of, [j for j in range(k) if sets[j] < sets[k]]))
    parts.append(residuals(mixed.sigma_within, observations, len(parts)))
    return Drawn(
        mean=mixed.grand_mean.estimate,
        parts=_tested_in_strata(found, parts, [names for names, _ in rows]),
        # One under each level of the condition, or in each cell of all factors within subjects.
        shared=_see_all(found) and observations in (found.n_levels, prod(sizes.values())),
        subjects=design.n_subjects,
    )


def _tested_in_strata(
    found: Results, parts: list[Part], within: list[tuple[str, ...]]
) -> tuple[Part, ...]:
    """The parts with the terms of their strata in the ANOVA; of strata without one, the last."""
    subject, place = found.design.columns["subject"], dict[str, int]()
    for k, names in enumerate(within):
        place |= {":".join([subject, *order]): k for order in permutations(names)}
    terms = [(place.get(row.stratum, len(within)), row.term) for row in found.anova.table]
    return tuple(
        replace(part, tests=tuple(term for at, term in terms if at == k))
        for k, part in enumerate(parts)
    )


def _of_lines(found: Results) -> Drawn | None:
    """Subjects with lines in the condition: z' Cov(b) z varies at z = (1, value), here the middle.

    There the errors of a line's mean and of its slope are independent.
    """
    design, mixed, condition = found.design, found.mixed, found.condition
    terms = mixed.random_terms
    own = sorted(effect for term in terms for effect in term.effects)
    course = [mean.estimate for mean in mixed.means if mean.estimate is not None]
    lines = own in ([INTERCEPT, condition], [condition]) and not any(t.within for t in terms)
    if condition is None or not lines or not _see_all(found) or len(course) < found.n_levels:
        return None
    values = [float(value) for value in design.conditions for _ in range(design.per_cell[1])]
    middle = sum(values) / len(values)
    at_0 = slope = together = 0.0
    for each in variances(mixed)[:-1]:
        if each.is_correlation:
            together = each.row.vcov
        elif each.own[0].is_slope:
            slope = each.row.vcov
        else:
            at_0 = each.row.vcov
    variance = max(0.0, at_0 + 2 * middle * together + middle**2 * slope)
    size = sqrt(variance * slope)
    mean, where = sum(course) / len(course), f"{condition} = {middle:.4g}"
    parts = [
        means(sqrt(variance), len(values), mean, variable("σ", where)),
        slopes(condition, sqrt(slope), [value - middle for value in values], []),
        residuals(mixed.sigma_within, len(values), 2),
    ]
    if found.slope is not None and found.slope.term and design.balanced:
        parts[1] = replace(parts[1], tests=(found.slope.term,))
    return Drawn(
        mean=mean,
        parts=tuple(parts),
        shared=found.slope is None and not design.replicated,
        subjects=design.n_subjects,
        correlation=max(-1.0, min(1.0, (together + middle * slope) / size)) if size else 0.0,
        middle=where,
    )
