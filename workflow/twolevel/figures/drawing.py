"""Draw figures into their files: each by the module of its name."""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from twolevel.figures.theme import save


def draw(files: Iterable[str], of: str, sources: object) -> None:
    """Draw the figures that files are named after, `of` being the package of their modules.

    A rule that runs this names the modules among its parameters (see `code.library_code`).
    """
    for path in map(Path, files):
        module = import_module(f"twolevel.figures.{of}.{path.stem}")
        save(module.draw(sources), path, title=path.stem.replace("_", " "))
