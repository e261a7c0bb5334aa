"""What all reports share: the folder of what a report shows, and what it says of its making."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from twolevel.files.atomic import copy
from twolevel.files.stage_files import write_json, write_text
from twolevel.page.support import write_support
from twolevel.page.templates import fill
from twolevel.pipeline.intact import set_edit_aside
from twolevel.pipeline.provenance import provenance
from twolevel.text.markdown import in_one_direction, without_shortcodes

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake

    from twolevel.summaries.loading_summary import LoadingSummary

# A table above this size is named in the report instead of carried inside the page.
LARGEST_TABLE = 1_000_000


class _ListsOnOneLine(yaml.SafeDumper):
    """YAML as a person writes a config."""


_ListsOnOneLine.add_representer(
    list, lambda dumper, values: dumper.represent_sequence("tag:yaml.org,2002:seq", values, True)
)


def fill_folder(snakemake: Snakemake, context: Mapping[str, Any]) -> None:
    """Copy what the report shows beside it, and write the document from its template."""
    files, params = snakemake.input, snakemake.params
    folder = Path(snakemake.output.document).parent
    copied = {path.name: Path(path) for path in map(Path, [*files.figures, *files.tables])}
    for target in map(Path, [*snakemake.output.figures, *snakemake.output.tables]):
        copy(copied[target.name], target)
    write_support(params.support, folder)
    text = fill(params.template, context)
    if kept := set_edit_aside(snakemake.output.document, text):
        print(f"{snakemake.output.document} was edited and is written anew; the edit is in {kept}")
    write_json(snakemake.output.provenance, context["provenance"])
    write_text(snakemake.output.document, text)


def making(
    name: str,
    entries: Mapping[str, Mapping[str, Any]],
    tables: Sequence[str],
    loading: LoadingSummary | None,
    made_of_them: Sequence[str] = (),
) -> dict[str, Any]:
    """What every report says of itself: title, entry in the config, tables, provenance.

    `entries` are those of the config that the report needs, its own in the first section; `loading`
    has the checksums of the files of the user's table, if there is one. What the report itself has
    `made_of_them`, such as rounded tables, has checksums too.
    """
    inputs = [file.model_dump() for file in loading.inputs] if loading else []
    sizes = {Path(path).stem: Path(path).stat().st_size for path in tables}
    made = provenance(name, entries, [*tables, *made_of_them], inputs)
    section = next(iter(entries))
    study = entries[section][name]
    return {
        "name": name,
        "title": study["title"] or name,
        "study": study,
        "tables": [table for table, size in sizes.items() if size <= LARGEST_TABLE],
        "too_large": [table for table, size in sizes.items() if size > LARGEST_TABLE],
        "config_yaml": _entry(name, made["config"][section][name]),
        "provenance": made,
    }


def _entry(name: str, entry: Mapping[str, Any]) -> str:
    """The study's entry as YAML, which does not end its block of code and holds no shortcode."""
    text = yaml.dump({name: entry}, Dumper=_ListsOnOneLine, sort_keys=False, allow_unicode=True)
    shown = in_one_direction(text.rstrip("\n"))
    return without_shortcodes(shown.replace("```", "` ` `"))
