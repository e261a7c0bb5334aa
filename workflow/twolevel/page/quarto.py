"""Render a document with the `quarto` command, trusting its exit status for nothing it hides."""

import importlib.util
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from twolevel.page.rendering import NO_TIME, TIMEOUT, RenderError, run, said, workplace

# The oldest that these pages have been made with.
MINIMUM_VERSION = (1, 7)
VERSION_TIMEOUT = 20  # seconds, of what takes one: a command that hangs is not waited for long

# What Quarto calls the format of a file with each ending.
_FORMATS = {".html": "html", ".docx": "docx", ".pdf": "typst"}

# Quarto exits 0 on each of these and leaves the fault in the page.
_FAULTS = re.compile(
    r"unable to resolve crossref"
    r"|could not convert (tex math|image)"
    r"|duplicate identifier"
    r"|unable to resolve link target",
    re.IGNORECASE,
)
# How Quarto calls Pandoc and with which metadata, which it says before all else.
_CALL = re.compile(r"^(?:pandoc (?:-.*)?|metadata)\n(?: {2}.*\n)*", re.MULTILINE)

# Variables of these beginnings change what runs, or what it reads and says: another Pandoc, say, a
# version that is not Quarto's own, or a log level that hides the faults above.
_STEERING = ("QUARTO_", "DENO_", "LUA_", "SASS_", "BASH_ENV")
# Where the parts of an installation are whose launcher does not find them by itself.
_PARTS = (
    "QUARTO_SHARE_PATH",
    "QUARTO_DENO",
    "QUARTO_DENO_DOM",
    "QUARTO_PANDOC",
    "QUARTO_ESBUILD",
    "QUARTO_DART_SASS",
    "QUARTO_TYPST",
)


def find_quarto() -> Path | None:
    """Find the Quarto command: `QUARTO_PATH`, then PATH, then the `quarto-cli` package.

    `QUARTO_PATH` may name the executable or the folder that holds it.

    Raises:
        RenderError: `QUARTO_PATH` is set but leads to no executable.
    """
    named = os.environ.get("QUARTO_PATH")
    if named:
        return _at(Path(named).expanduser())
    if on_path := shutil.which("quarto"):
        return Path(on_path)
    # The package's own `quarto` script is on PATH only where its environment is activated.
    package = importlib.util.find_spec("quarto_cli")
    for folder in (package and package.submodule_search_locations) or ():
        for candidate in sorted(Path(folder).glob("quarto-*/bin/quarto")):
            return candidate
    return None


def _at(path: Path) -> Path:
    for candidate in (path, path / "quarto", path / "bin" / "quarto"):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate.absolute()
    raise RenderError(
        f"QUARTO_PATH={path}: no executable there; expected the quarto command or its folder. "
        "Correct the variable, or unset it to search PATH"
    )


def quarto_version(executable: Path) -> str:
    """Ask Quarto for its version, such as "1.9.3".

    Raises:
        RenderError: the command cannot be run, or answers with anything but a version.
    """
    asked = run(
        [executable, "--version"], environment=_environment(executable), timeout=VERSION_TIMEOUT
    )
    version = asked.out.strip()
    if asked.status != 0 or not re.fullmatch(r"\d+(\.\d+)+\S*", version):
        raise RenderError(
            f"{executable} --version: expected a version such as 1.9.3, got exit status "
            f"{asked.status} and\n{asked.said}"
        )
    return version


def render_with_quarto(
    source: Path,
    output: Path,
    *,
    executable: Path,
    figures: Sequence[Path] = (),
    edited: bool = False,
    timeout: float = TIMEOUT,
) -> None:
    """Render `source` to `output`: a self-contained page, a Word document, or a PDF by Typst.

    The folder of the source must hold everything the document shows, and what `write_support` puts
    there. The page of a source that was `edited` says so.

    Raises:
        RenderError: Quarto is too old, fails, is not done after `timeout` seconds, makes no page,
            or makes one with a fault in it, such as an unresolved cross-reference.
    """
    version = quarto_version(executable)
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < MINIMUM_VERSION:
        raise RenderError(
            f"{executable}: found Quarto {version}, expected at least "
            f"{'.'.join(map(str, MINIMUM_VERSION))}. Update Quarto, or write "
            '"renderer: pandoc" under "report:" in the config'
        )
    with workplace(source, output, figures) as (copy, page, data):
        done = run(
            [
                executable,
                "render",
                copy.name,
                "--to",
                _FORMATS[output.suffix],
                "--output",
                page.name,
                "-M",
                f"renderer:Quarto {version}",
                *(["-M", "edited:true"] if edited else []),
            ],
            folder=copy.parent,
            environment=_environment(executable) | _folders(data) | NO_TIME,
            timeout=timeout,
        )
        if done.status != 0:
            words = said(_CALL.sub("", done.out + done.errors))
            raise RenderError(f"{source}: Quarto failed (exit status {done.status}):\n{words}")
        lines = [*done.out.splitlines(), *done.errors.splitlines()]
        if faults := [line for line in lines if _FAULTS.search(line)]:
            raise RenderError(
                f"{source}: Quarto made a page with faults; fix what it names:\n"
                + said("\n".join(faults))
            )


def _environment(executable: Path) -> dict[str, str]:
    """This process's variables, except those that could let anything else make the page."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_STEERING)}
    real = executable.resolve()
    if (real.parent.parent / "share" / "version").is_file():
        return kept  # the launcher finds all parts beside itself
    # Conda spreads the parts over an environment, and names them when it is activated.
    places = {executable.absolute().parent.parent, real.parent.parent}
    parts = {name: os.path.normpath(os.environ.get(name, "")) for name in _PARTS}
    return kept | {
        name: part
        for name, part in parts.items()
        if any(Path(part).is_relative_to(place) for place in places)
    }


def _folders(data: Path) -> dict[str, str]:
    """Folders for Quarto instead of its user's, which may change it, or not be writable."""
    # Without a folder "pandoc" there, Pandoc would take ~/.pandoc.
    (data / "pandoc").mkdir()
    own = {"XDG_DATA_HOME": data, "XDG_CACHE_HOME": data / "cache", "XDG_CONFIG_HOME": data}
    return {name: str(folder) for name, folder in (own | {"HOME": data}).items()}
