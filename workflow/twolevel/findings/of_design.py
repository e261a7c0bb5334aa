"""What a report says of the data: who was observed, how evenly, and what is missing of them."""

from __future__ import annotations

from twolevel.findings.results import FEW_LEVELS, Results
from twolevel.summaries.base import Level
from twolevel.summaries.loading_summary import LoadingSummary
from twolevel.text.markdown import Markdown, counted, escape, words


def observed(found: Results) -> Markdown:
    """Who was observed under which levels, how often, and whether all cells are alike."""
    design = found.design
    under = "repeatedly"
    if found.condition:
        factors = {found.condition: design.conditions} | design.other_factors
        under = f"under {words([_levels(*each) for each in factors.items()])}"
    least, most = design.per_subject
    each = f"{least} from each" if least == most else f"between {least} and {most} from a"
    return Markdown(
        f"{counted(design.n_subjects, 'subject')} were observed {under}: "
        f"{counted(design.n_observations, 'observation')} of {escape(found.response)}, "
        f"{each} subject{_evenly(found)}"
    )


def _levels(factor: str, levels: list[Level]) -> Markdown:
    few = len(levels) <= FEW_LEVELS
    listed = words(levels) if few else f"{escape(levels[0])} to {escape(levels[-1])}"
    return Markdown(f"{len(levels)} levels of {escape(factor)} ({listed})")


def _evenly(found: Results) -> str:
    design = found.design
    least, most = design.per_cell
    uneven, cell = "The design is **not balanced**", f"cell ({_cell(found)})"
    if not found.condition:
        return ". The design is balanced." if design.balanced else f". {uneven}."
    if design.balanced:
        each = least if design.replicated else "one"
        return f", {each} in every {cell}. The design is balanced."
    if not design.empty_cells:
        return f". {uneven}: a {cell} holds between {least} and {most} observations."
    empty = f"{design.empty_cells} {'is' if design.empty_cells == 1 else 'are'} empty"
    fullest = f", and the fullest holds {most} observations" if design.replicated else ""
    return (
        f". {uneven}: of its {found.n_cells} cells ({_cell(found)}), {empty}, in "
        f"{counted(design.incomplete_subjects, 'subject')}{fullest}."
    )


def _cell(found: Results) -> str:
    """What a cell is; the levels of other factors within subjects share it."""
    if not (others := found.design.other_factors):
        return "one subject under one level"
    return (
        f"one subject under one level of {escape(found.condition)}, whatever the level of "
        f"{words(list(others))}"
    )


def left_out(found: Results, loading: LoadingSummary | None) -> Markdown | None:
    """How many rows were left out because a value is missing; None where none was."""
    if not loading or not loading.dropped:
        return None
    rows = loading.rows_read - found.design.n_observations
    were = "was" if rows == 1 else "were"
    missing = ", ".join(f"{n} in {escape(column)}" for column, n in loading.dropped.items())
    return Markdown(
        f"As the study's `missing: drop` asks, {counted(rows, 'row')} of {loading.rows_read} "
        f"{were} left out because a value is missing (missing: {missing})."
    )


def repeated_cells(found: Results) -> Markdown:
    """In how many cells a subject was observed more than once, which a study has to allow."""
    cells = found.design.repeated_cells
    return Markdown(
        f"{counted(cells, 'cell')} of {found.n_cells - found.design.empty_cells} "
        f"{'holds' if cells == 1 else 'hold'} more than one row. As the study's "
        "`replicates: allow` asks, these count as repeated measurements of the same subject under "
        "the same level."
    )


def missing_cells(found: Results) -> Markdown | None:
    """What is missing where subjects were not seen under every level; None where all were."""
    design = found.design
    if not design.incomplete_subjects:
        return None
    incomplete, single = design.incomplete_subjects, design.single_subjects
    alone = f", and {single} of these {'has' if single == 1 else 'have'} one observation only"
    return Markdown(
        f"{counted(incomplete, 'subject')} {'was' if incomplete == 1 else 'were'} not seen under "
        f"every level of {escape(found.condition)} (@fig-missingness){alone if single else ''}. "
        "Nothing is dropped for that. Programs that ask for complete subjects would keep "
        f"{design.complete.n_subjects} of {design.n_subjects} subjects, and "
        f"{design.complete.n_observations} of {design.n_observations} observations."
    )
