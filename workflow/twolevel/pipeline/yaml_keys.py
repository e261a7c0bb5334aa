"""What a YAML file must not hold: a key named twice, or code."""

from typing import Any

import yaml

from twolevel.errors import InputError, quoted


def duplicate_keys(text: str | bytes, name: str) -> None:
    """Refuse YAML text that names a key twice, of which YAML would silently keep the last.

    `name` is the file's, for the message. Raises InputError, also for text that is not YAML.
    """
    try:
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            _walk(loader, root, name)
            if root is not None:
                loader.construct_document(root)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{name}: line {mark.line + 1}" if mark else name
        what = str(getattr(error, "problem", None) or error).splitlines()[0]
        tab = "\\t" in what
        remedy = "indent with blanks, not with tabs" if tab else "mend the text at that place"
        raise InputError(f"{place}: this is not YAML ({what}); {remedy}") from None
    except RecursionError:
        raise InputError(f"{name}: nested too deeply; write fewer levels") from None
    except (ValueError, TypeError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        what = quoted(error)
        raise InputError(f"{name}: YAML cannot read a value ({what}); put it in quotes") from None


def refuse_code(text: bytes, name: str) -> None:
    """Refuse YAML text with the key by which Snakemake takes expressions in it for Python to run.

    `name` is the file's, for the message. Raises InputError, also for text that is not YAML.
    """
    # Without these a key cannot be written; a long config is then not read twice.
    if b"__use_yte__" not in text and b"\\" not in text:
        return
    duplicate_keys(text, name)
    config = yaml.safe_load(text)
    if isinstance(config, dict) and "__use_yte__" in config:
        raise InputError(
            f"{name}: the key __use_yte__ lets Snakemake run code that stands in the config; "
            "remove it, and write the values themselves"
        )


def _walk(loader: yaml.SafeLoader, root: yaml.Node | None, name: str) -> None:
    """Compare the keys of every mapping; an alias leads to a node only once."""
    todo, done = [(root, ())], set()
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
