"""One subject alone: its observations and its mean, in numbers."""

from __future__ import annotations

from twolevel.findings.results import Results
from twolevel.text.markdown import Markdown, tex

# Observations up to which a sum is written out.
_FEW = 6


def mean_in_numbers(found: Results) -> Markdown:
    """The subject's own mean, as the sum of its observations where these are few."""
    one = found.design.one_subject
    mean, rows = tex(one.intercept), [row.response for row in one.observations]
    if not 1 < len(rows) <= _FEW:
        return Markdown(rf"\hat\mu_i = \bar y_i = {mean}")
    first, *others = rows
    added = [tex(first), *(f"{'-' if y < 0 else '+'} {tex(abs(y))}" for y in others)]
    return Markdown(rf"\hat\mu_i = \frac{{{' '.join(added)}}}{{{len(rows)}}} = {mean}")
