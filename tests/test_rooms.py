"""The rooms of the library: each imports from itself and from the rooms below it, no other."""

import ast
from collections import Counter
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[1] / "workflow" / "twolevel"
# From the top down; `mixed` is a module.
ROOMS = [
    "pipeline",
    "page",
    "figures",
    "findings",
    "summaries",
    "experiments",
    "levels",
    "strata",
    "mixed",
    "inference",
    "model",
    "random",
    "design",
    "files",
    "numeric",
    "text",
]
MODULES = sorted(path for path in LIBRARY.rglob("*.py") if path.name != "__init__.py")


def room_of(module: str) -> str:
    return module.split(".")[1]


def imported(tree: ast.AST) -> set[str]:
    """The library's modules that are imported when code runs, wherever in it."""
    names = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("twolevel."):
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names if "twolevel." in alias.name)
        names |= imported(node)
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_arrows_point_down(path):
    own = path.relative_to(LIBRARY).parts[0].removesuffix(".py")
    below = ROOMS[ROOMS.index(own) :]
    up = {
        name for name in imported(ast.parse(path.read_text("utf-8"))) if room_of(name) not in below
    }
    assert not up, f"{own} imports from a room above it"


def test_rooms_are_these_and_have_room():
    assert {path.relative_to(LIBRARY).parts[0].removesuffix(".py") for path in MODULES} == set(
        ROOMS
    )
    assert max(Counter(path.parent for path in MODULES).values()) <= 15


def test_no_two_modules_are_called_alike():
    names = Counter(path.stem.removesuffix("s") for path in MODULES)
    assert [name for name, count in names.items() if count > 1] == []
