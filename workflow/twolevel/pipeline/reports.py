"""What all reports share: the folder of what a report shows, and what it says of its making."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any

import yaml

from twolevel import __version__
from twolevel.atomic import replacing
from twolevel.pipeline.documents import fill
from twolevel.pipeline.files import write_text

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake

PROGRAMS = ["snakemake", "numpy", "scipy", "pandas", "formulaic", "statsmodels", "matplotlib"]
# A table above this size is named in the report instead of carried inside the page.
LARGEST_TABLE = 1_000_000


class _ListsOnOneLine(yaml.SafeDumper):
    """YAML as a person writes a config."""


_ListsOnOneLine.add_representer(
    list, lambda dumper, values: dumper.represent_sequence("tag:yaml.org,2002:seq", values, True)
)


def fill_folder(snakemake: Snakemake, context: Mapping[str, Any]) -> None:
    """Copy what the report shows beside it, and write the document from its template."""
    files, folder = snakemake.input, Path(snakemake.output.document).parent
    copied = {path.name: Path(path) for path in map(Path, [*files.figures, *files.tables])}
    for target in map(Path, [*snakemake.output.figures, *snakemake.output.tables]):
        _copy(copied[target.name], target)
    for source in map(Path, files.support):
        _copy(source, folder / source.name)
    write_text(snakemake.output.document, fill(files.template, context))


def _copy(source: Path, target: Path) -> None:
    """Copy a file, whole or not at all."""
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)


def making(name: str, config: Mapping[str, Any], tables: list[str]) -> dict[str, Any]:
    """What every report says of itself: title, entry in the config, tables, versions."""
    sizes = {Path(path).stem: Path(path).stat().st_size for path in tables}
    return {
        "name": name,
        "title": config["title"] or name,
        "study": config,
        "tables": [table for table, size in sizes.items() if size <= LARGEST_TABLE],
        "too_large": [table for table, size in sizes.items() if size > LARGEST_TABLE],
        "config_yaml": _entry(name, config),
        "versions": {"twolevel": __version__, "Python": python_version()}
        | {program: version(program) for program in PROGRAMS},
    }


def _given(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a config holds, without empty keys and groups."""
    filled = {k: _given(v) if isinstance(v, Mapping) else v for k, v in config.items()}
    return {key: value for key, value in filled.items() if value not in (None, {})}


def _entry(name: str, config: Mapping[str, Any]) -> str:
    """The study's entry in the config, as YAML, without the keys it leaves out."""
    entry = {name: _given(config)}
    text = yaml.dump(entry, Dumper=_ListsOnOneLine, sort_keys=False, allow_unicode=True)
    return text.rstrip("\n").replace("```", "` ` `")
