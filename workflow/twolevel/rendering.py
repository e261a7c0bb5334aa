"""What both renderers share: a private copy of the source, a guarded command, an atomic result."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from twolevel.atomic import replacing
from twolevel.errors import TwoLevelError

TIMEOUT = 300

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_STACK_FRAME = re.compile(
    r"^\s*(at\s|\[C\]:|\S+:\d+: in |stack traceback:|Stack trace:|\(\.\.\.tail)"
)


class RenderError(TwoLevelError, RuntimeError):
    """A page could not be made; the message names the source, the reason and the remedy."""


class Workplace(NamedTuple):
    """The private copy of a source, and where its renderer has to leave the finished page."""

    source: Path
    page: Path


@contextmanager
def workplace(source: Path, output: Path) -> Iterator[Workplace]:
    """Copy the source's folder into a private one; afterwards move the page made there to `output`.

    Nothing is written beside the source, which may be read-only, and renders of one source that
    run at the same time never meet. `output` is replaced in one step, or left as it was when the
    block raises.

    Raises:
        RenderError: the source is missing or cannot be copied, or no page was made.
    """
    if not source.is_file():
        raise RenderError(f"{source}: there is no such file to render; expected a .qmd document")
    with tempfile.TemporaryDirectory(prefix="twolevel-render-") as private:
        # Quarto before 1.9 fails on `embed-resources` below a symlink, such as macOS's /tmp.
        folder = Path(private).resolve() / source.parent.resolve().name
        try:
            shutil.copytree(source.parent, folder, copy_function=shutil.copyfile)
        except (shutil.Error, OSError) as error:
            raise RenderError(
                f"{source.parent}: cannot be copied for rendering ({error}); "
                "every file and link in the folder must be readable"
            ) from error
        for directory in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
            directory.chmod(0o700)  # copytree repeats the modes of folders, read-only ones too
        page = folder / output.name
        page.unlink(missing_ok=True)  # a page of an earlier render must not pass for this one
        yield Workplace(folder / source.name, page)
        if not page.is_file() or page.stat().st_size == 0:
            raise RenderError(f"{source}: the renderer reported success but made no {output.name}")
        with replacing(output) as temporary:
            shutil.copyfile(page, temporary)


def run(
    command: Sequence[str | Path],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = TIMEOUT,
) -> tuple[int, str]:
    """Run a command without a shell and return its exit status and all that it said.

    Raises:
        RenderError: the command cannot be started, or is not done after `timeout` seconds; it is
            then killed together with every process it started.
    """
    try:
        process = subprocess.Popen(
            [os.fspath(part) for part in command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own, so that children can be killed with it
        )
    except OSError as error:
        raise RenderError(f"{command[0]}: cannot be started ({error.strerror})") from error
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise RenderError(
            f"{Path(command[0]).name}: not done after {timeout:g} s and stopped; "
            "run the command by hand to see where it hangs"
        ) from error
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    return process.returncode, _ANSI.sub("", output.decode("utf-8", "replace"))


def said(output: str, lines: int = 12) -> str:
    """Return what matters of a renderer's output: its last lines, without stack traces."""
    kept = [
        line.rstrip()
        for line in output.splitlines()
        if line.strip() and not _STACK_FRAME.match(line)
    ]
    return "\n".join(f"  {line}" for line in kept[-lines:]) or "  (it said nothing)"
