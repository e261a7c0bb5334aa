"""A figure as a page has it, whatever draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twolevel.text.markdown import Markdown, counted

if TYPE_CHECKING:
    from twolevel.findings.results import Results


@dataclass(frozen=True)
class Figure:
    """A figure on a page: its label, its caption in Markdown and its alternative text."""

    label: str
    caption: str
    alt: str

    def on_page(self, name: str) -> Markdown:
        """The figure in Quarto's syntax."""
        return Markdown(
            f'![{self.caption}](figures/{name}.svg){{#{self.label} fig-alt="{self.alt}"}}'
        )


def how_many(found: Results) -> Markdown:
    """How many subjects a figure shows."""
    return counted(found.design.n_subjects, "subject")
