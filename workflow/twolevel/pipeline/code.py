"""Which library modules a script runs, so that a rule is rerun when one of them changes.

Snakemake tracks a rule's own script, not what the script imports.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from twolevel.files.checksums import sha256

_LIBRARY = Path(__file__).resolve().parents[1]
# An import statement: where from, and what. Parsing the files would hold up every start by a third
# of a second; a line of prose that looks like one names no module of the library.
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+)?import[ \t]+(\([^)]*\)|[^(\n]+)", re.MULTILINE
)
_COMMENT = re.compile("#.*")


def library_code(script: str | Path, modules: Iterable[str] = ()) -> dict[str, str]:
    """The library modules that a script imports, directly or not, each with a digest of its text.

    Imports are read from the source, those inside functions included; nothing is imported.
    `modules` are further ones, which no import statement names.
    """
    found: dict[str, str] = {}
    pending = [*_imports(Path(script), ()), *modules]
    while pending:
        name = pending.pop()
        if name not in found:
            path = _path(name)
            assert path is not None  # `_imports` names modules that exist
            found[name] = _digest(path)
            package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
            pending.extend(_imports(path, tuple(package)))
    return dict(sorted(found.items()))


@cache
def _imports(path: Path, package: tuple[str, ...]) -> frozenset[str]:
    """The library's modules that a file names in its import statements."""
    names: set[str] = set()
    for source, listed in _IMPORT.findall(path.read_text("utf-8")):
        parts = _COMMENT.sub("", listed).strip("()").split(",")
        imported = [part.split()[0] for part in parts if part.strip()]
        if not source:
            names.update(imported)
            continue
        module = source.lstrip(".")
        if level := len(source) - len(module):
            module = ".".join(filter(None, [*package[: len(package) - level + 1], module]))
        names.add(module)
        names.update(f"{module}.{name}" for name in imported)
    # Importing a module runs the packages above it.
    parents = {".".join(n.split(".")[:k]) for n in names for k in range(1, n.count(".") + 2)}
    return frozenset(n for n in parents if n.split(".")[0] == _LIBRARY.name and _path(n))


@cache
def _path(name: str) -> Path | None:
    """The file of a module, or None where the name is not a module of the library."""
    base = _LIBRARY.joinpath(*name.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _digest(path: Path) -> str:
    return sha256(path)[:12]
