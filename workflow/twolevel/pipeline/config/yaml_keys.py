"""What a YAML file must not hold: a key named twice, more than it seems to, or code."""

import os
from pathlib import Path
from typing import Any

import yaml

from twolevel.text.errors import InputError, quoted

# Levels of a config, and values in it with all that aliases repeat.
MAX_DEPTH, MAX_VALUES = 30, 1_000_000
_TOO_DEEP = f"{{}}: nested too deeply, more than {MAX_DEPTH} levels; write fewer"


def duplicate_keys(text: str | bytes, name: str) -> Any:
    """Give what YAML text says, unless it names a key twice, of which YAML would keep the last.

    `name` is the file's, for the message. Raises InputError, also for text that is not YAML, or
    that a few aliases make as deep or as long as no text is.
    """
    if isinstance(text, bytes):
        _as_utf8(text, name)
    try:
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            if root is None:
                return None
            values, depth = _extent(root, name, {})
            if depth > MAX_DEPTH:
                raise InputError(_TOO_DEEP.format(name))
            if values > MAX_VALUES:
                raise InputError(
                    f"{name}: its aliases (*) make {values:,} values of it, expected at most "
                    f"{MAX_VALUES:,}; write out what is needed"
                )
            _walk(loader, root, name)
            return loader.construct_document(root)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{name}: line {mark.line + 1}" if mark else name
        what = str(getattr(error, "problem", None) or error).splitlines()[0]
        tab = "\\t" in what
        remedy = "indent with blanks, not with tabs" if tab else "fix the text at that place"
        raise InputError(f"{place}: this is not YAML ({what}); {remedy}") from None
    except RecursionError:
        raise InputError(_TOO_DEEP.format(name)) from None
    except (ValueError, TypeError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        what = quoted(error)
        raise InputError(f"{name}: YAML cannot read a value ({what}); put it in quotes") from None


def check_before(path: str | Path) -> None:
    """Check a config before Snakemake reads it, which would hang, fail or run what it says.

    It is to be a file of YAML in UTF-8 without the key by which Snakemake takes expressions for
    Python to run. Raises InputError.
    """
    if not Path(path).exists():
        raise InputError(
            f"{path}: found a link to {os.readlink(path)}, which is not there; fix the link, or "
            "put a file of YAML in its place"
        )
    if not Path(path).is_file():
        raise InputError(f"{path}: found a folder, pipe or device, expected a file of YAML")
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; make it readable") from None
    config = duplicate_keys(text, str(path))
    if not isinstance(config, dict):
        found = "nothing" if config is None else "no keys at the top level"
        raise InputError(f"{path}: found {found}, expected keys such as studies:; write them there")
    if "__use_yte__" in config:
        raise InputError(
            f"{path}: the key __use_yte__ lets Snakemake run code that stands in the config; "
            "remove it, and write the values themselves"
        )


def _as_utf8(text: bytes, name: str) -> None:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name}: line {line}: found the byte {text[error.start]:#04x}, which is not UTF-8; "
            "save the file in the encoding UTF-8"
        ) from None


def _extent(
    node: yaml.Node, name: str, known: dict[int, tuple[int, int] | None]
) -> tuple[int, int]:
    """How many values a node has with all that its aliases repeat, and how deep they are nested."""
    if id(node) in known:
        extent = known[id(node)]
        if extent is None:
            line = node.start_mark.line + 1
            raise InputError(
                f"{name}: line {line}: an alias (*) stands inside what it repeats; write it out"
            )
        return extent
    known[id(node)] = None
    inner = [] if isinstance(node, yaml.ScalarNode) else node.value
    if isinstance(node, yaml.MappingNode):
        inner = [part for pair in inner for part in pair]
    extents = [_extent(part, name, known) for part in inner]
    known[id(node)] = extent = (
        1 + sum(count for count, _ in extents),
        1 + max((depth for _, depth in extents), default=0),
    )
    return extent


def _walk(loader: yaml.SafeLoader, root: yaml.Node, name: str) -> None:
    """Compare the keys of every mapping; an alias leads to a node only once."""
    todo: list[tuple[yaml.Node, tuple[Any, ...]]] = [(root, ())]
    done: set[int] = set()
    while todo:
        node, path = todo.pop()
        if id(node) in done:
            continue
        done.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            todo += [(item, (*path, str(i))) for i, item in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            continue
        lines: dict[Any, int] = {}
        for key, item in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise InputError(f"{name}: line {line}: a key must be plain text, not a list")
            here = (*path, key.value)
            value = key.tag if key.tag.endswith(":merge") else loader.construct_object(key)
            if value in lines:
                where = ".".join(map(str, here))
                raise InputError(
                    f"{name}: line {line}: the key {quoted(where)} is already on line "
                    f"{lines[value]}; YAML would keep only the last; rename or remove one"
                )
            lines[value] = line
            todo.append((item, here))
