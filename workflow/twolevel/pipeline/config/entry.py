"""A study's entry in the config: YAML with a reason for each key, put where it belongs."""

from __future__ import annotations

import fcntl
import json
import re
import textwrap
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from twolevel.text.errors import InputError

_WIDTH = 94
_ONE_LINE: dict[str, Any] = {"sort_keys": False, "width": float("inf")}
# Snakemake's own lock is about outputs, and adding a study has none.
_LOCK = Path(".snakemake/new_study.lock")


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other process of this folder is inside such a block."""
    with _LOCK.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def names(config: str) -> set[str]:
    """The names that the text of a config gives to studies of both kinds."""
    found = yaml.safe_load(config)
    return {str(name) for key in ("studies", "replications") for name in found.get(key) or ()}


def free_name(table: str, taken: Collection[str]) -> str:
    """A name for a study of this table: that of the file, in letters that names are made of."""
    stem = Path(table).name.split(".")[0].casefold()
    name = re.sub(r"[^a-z0-9_-]+", "-", stem).strip("-_") or "study"
    name = name[:50] if name != "index" else "study"
    again = (f"{name}-{k}" for k in range(2, len(taken) + 3))
    return next(n for n in (name, *again) if n not in taken)


def entry(
    name: str, keys: Mapping[str, Any], reasons: Mapping[str, list[str]], notes: list[str]
) -> str:
    """The YAML of a study, not indented: notes above it, and before each key the reason for it."""
    # In quotes where YAML would read a number, a date, or yes and no.
    lines = [f"{_plain(name)}:", *_comment(notes)]
    for key, value in keys.items():
        lines += _comment(reasons.get(key, []))
        lines += [f"  {key}: {_plain(value)}"]
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> str:
    """A value as YAML on one line."""
    # PyYAML writes some unusual line breaks as they are, and reads them as blanks.
    plain = json.dumps(value, ensure_ascii=False).isprintable()
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=plain, **_ONE_LINE)
    return text.removesuffix("...\n").rstrip()


def _comment(texts: list[str]) -> list[str]:
    printable = ["".join(c if c.isprintable() else " " for c in text) for text in texts]
    return [
        f"  # {line}"
        for text in printable
        for line in textwrap.wrap(" ".join(text.split()), _WIDTH)
    ]


def with_study(config: str, name: str, text: str) -> str:
    """The text of a config with one more study at the end of its studies; nothing else changes.

    The new lines end as those of the config do. The text is cut and not written anew: even
    ruamel.yaml changes line ends, blanks, indents of lists and the end of a file without a newline.
    Raises InputError where the text is not laid out so that one could be added.
    """
    before = yaml.safe_load(config)
    studies = _studies(yaml.compose(config))
    if studies is not None and name not in before["studies"]:
        indent = studies.value[0][0].start_mark.column
        lines = config.splitlines(keepends=True)
        last = _last_line(studies) + 1
        head, tail = lines[:last], lines[last:]
        end = "\r\n" if "\r\n" in config else "\n"
        if not head[-1].endswith("\n"):
            head[-1] += end
        added = "\n" + textwrap.indent(text, " " * indent)
        result = "".join([*head, added.replace("\n", end), *tail])
        if _adds(result, name, before):
            return result
    raise InputError(
        "the studies of the config are not written one below the other, each indented below "
        f"studies:, so none can be added safely; add this entry there yourself:\n{text}"
    )


def _adds(text: str, name: str, before: Any) -> bool:
    """Whether a config is another one with one more study."""
    try:
        after = yaml.safe_load(text)
    except yaml.YAMLError:
        return False
    return bool(after["studies"].pop(name, None)) and after == before


def _studies(root: yaml.Node | None) -> yaml.MappingNode | None:
    """The studies of a config, if they are written as a block."""
    if isinstance(root, yaml.MappingNode):
        for key, value in root.value:
            if key.value == "studies" and isinstance(value, yaml.MappingNode):
                return value if value.value and not value.flow_style else None
    return None


def _last_line(node: yaml.Node) -> int:
    """The last line of a node, not counting comments and empty lines below it."""
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return node.end_mark.line - (node.end_mark.column == 0)
