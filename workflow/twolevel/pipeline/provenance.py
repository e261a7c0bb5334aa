"""Where a report's numbers come from: config, code, versions, and checksums of tables.

Nothing here tells of the machine: no folder that a table lies in, no user, no host, no time.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path, PurePath
from platform import python_version
from typing import Any

from twolevel import __version__
from twolevel.files.checksums import checksums

PROGRAMS = ["snakemake", "numpy", "scipy", "pandas", "pyarrow", "formulaic", "statsmodels"]
PROGRAMS += ["matplotlib", "jinja2"]
PROJECT = Path(__file__).resolve().parents[3]
# What a report is made from, of all that lies in the project.
CODE = ("workflow", "reports")


def provenance(
    report: str,
    config: Mapping[str, Mapping[str, Any]],
    tables: Sequence[str | Path],
    inputs: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """All that it takes to make a report again and to tell whether it is the same.

    `config` has the entries that the report needs, by section and name; `inputs` are the files of
    the user's table, as `checksums` gives them.
    """
    return {
        "report": report,
        "config": {
            section: {name: public(entry) for name, entry in entries.items()}
            for section, entries in config.items()
        },
        "versions": versions(),
        "code": commit(),
        "inputs": list(inputs),
        "tables": checksums(tables),
    }


def versions() -> dict[str, str]:
    """The versions of what computes, draws and writes; the page itself names what renders it."""
    found = {"twolevel": __version__, "Python": python_version()}
    return found | {program: version(program) for program in PROGRAMS}


def commit(project: Path = PROJECT) -> dict[str, Any] | None:
    """The git commit that last changed the project's code, and whether it was changed since.

    None where the project is in no git repository, or there is no git. Commits that touch other
    files leave it as it is.
    """
    last = _git(project, "log", "-1", "--format=%H", "--", *CODE)
    changes = _git(project, "status", "--porcelain", "--", *CODE)
    if not last or changes is None:
        return None
    return {"commit": last, "changed": bool(changes)}


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says of a folder, or None."""
    # A hook that runs this may name another repository; and nothing is written, not even an index.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def public(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of the config without empty keys and groups, and without folders of this machine.

    A path inside the project stays as it is; of any other, what follows its folders is left.
    """
    given = _given(entry)
    return given | {"data": _inside(given["data"])} if "data" in given else given


def _given(entry: Mapping[str, Any]) -> dict[str, Any]:
    filled = {k: _given(v) if isinstance(v, Mapping) else v for k, v in entry.items()}
    return {key: value for key, value in filled.items() if value not in (None, {})}


def _inside(data: str) -> str:
    path = PurePath(data)
    if path.is_absolute() or ".." in path.parts:
        return str(path.relative_to(fixed_folder(data)))
    return data


def fixed_folder(data: str) -> PurePath:
    """The folders of a path, or of a pattern those before its first *."""
    parts = PurePath(data).parts
    names = (k for k, part in enumerate(parts) if "*" in part)
    return PurePath(*parts[: next(names, len(parts) - 1)])
