"""What both renderers share: a private copy of the source, a guarded command, an atomic result."""

import errno
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import current_thread, main_thread
from typing import NamedTuple

from twolevel.files.atomic import copy
from twolevel.files.private_folders import private_folder
from twolevel.text.errors import TwoLevelError

TIMEOUT = 300
# Word documents and PDF hold the time when they were made, which is to be the same every time: the
# first that their archives know, 1980.
NO_TIME = {"SOURCE_DATE_EPOCH": "315532800"}

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_STACK_FRAME = re.compile(
    r"^\s*(at\s|\[C\]:|\S+:\d+: in |stack traceback:|Stack trace:|\(\.\.\.tail)"
)


class RenderError(TwoLevelError, RuntimeError):
    """A page could not be made; the message names the source, the reason and the remedy."""


class Workplace(NamedTuple):
    """The private copy of a source, and where its renderer has to leave the finished page.

    `data` is an empty folder, which the renderer gets for that of its user: what lies there, such
    as a script that Pandoc runs at every start, changes pages.
    """

    source: Path
    page: Path
    data: Path


class Ended(NamedTuple):
    """How a command ended: its exit status, and what it said on either stream."""

    status: int
    out: str
    errors: str

    @property
    def said(self) -> str:
        """What matters of both streams, for a message."""
        return said(self.out + self.errors)


@contextmanager
def workplace(source: Path, output: Path, figures: Sequence[Path] = ()) -> Iterator[Workplace]:
    """Copy the source's folder into a private one; afterwards move the page made there to `output`.

    `figures` are copied beside those of the source.

    Nothing is written beside the source, which may be read-only, and renders of one source that
    run at the same time never meet. Links that lead nowhere, such as the locks of editors, are not
    copied, nor what Quarto would read unasked. `output` is replaced in one step, or left as it was
    when the block raises.

    Raises:
        RenderError: the source is missing or cannot be copied, or no page was made.
        OSError: there is no room for the copy or the page.
    """
    if not source.is_file():
        raise RenderError(f"{source}: there is no such file to render; expected a .qmd document")
    with private_folder("render") as private:
        folder, data = private / "source" / source.parent.resolve().name, private / "data"
        try:
            shutil.copytree(
                source.parent,
                folder,
                copy_function=shutil.copyfile,
                ignore=_unasked,
                ignore_dangling_symlinks=True,
            )
        except (shutil.Error, OSError) as error:
            if (full := os.strerror(errno.ENOSPC)) in str(error):
                raise OSError(errno.ENOSPC, full, str(private.parent)) from error
            raise RenderError(
                f"{source.parent}: cannot be copied for rendering ({error}); "
                "every file and link in the folder must be readable"
            ) from error
        for directory in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
            directory.chmod(0o700)  # copytree repeats the modes of folders, read-only ones too
        for figure in figures:
            shutil.copyfile(figure, folder / "figures" / figure.name)
        data.mkdir()
        page = folder / output.name
        page.unlink(missing_ok=True)  # a page of an earlier render must not pass for this one
        yield Workplace(folder / source.name, page, data)
        if not page.is_file() or page.stat().st_size == 0:
            raise RenderError(f"{source}: the renderer reported success but made no {output.name}")
        copy(page, output)


def _unasked(folder: str, names: list[str]) -> set[str]:
    """What Quarto reads by itself, such as _metadata.yml or _extensions, except our _quarto.yml.

    What lies there by chance, or by somebody's hand, would change a page and not be told. Links to
    folders are left out too, for one to a folder above would be copied without end.
    """
    return {
        name
        for name in names
        if (name.startswith(("_", ".")) and name != "_quarto.yml")
        or (Path(folder, name).is_symlink() and Path(folder, name).is_dir())
    }


def run(
    command: Sequence[str | Path],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = TIMEOUT,
) -> Ended:
    """Run a command without a shell and return how it ended.

    Raises:
        RenderError: the command cannot be started, or is not done after `timeout` seconds; it is
            then killed together with every process it started, as it is when this one is stopped.
    """
    process = None
    try:
        # Told to stop while the command starts, this process would not know what to kill.
        with _stopped_after():
            process = subprocess.Popen(
                [os.fspath(part) for part in command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # a group, so that its children can be killed with it
            )
        streams = process.communicate(timeout=timeout)
    except OSError as error:
        raise RenderError(f"{command[0]}: cannot be started ({error.strerror})") from error
    except subprocess.TimeoutExpired as error:
        raise RenderError(
            f"{Path(command[0]).name}: not done after {timeout:g} s and stopped; "
            "run the command by hand to see where it hangs"
        ) from error
    finally:
        if process is not None and process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    out, errors = (_ANSI.sub("", stream.decode("utf-8", "replace")) for stream in streams)
    return Ended(process.returncode, out, errors)


@contextmanager
def _stopped_after() -> Iterator[None]:
    """Hold back the signals that stop a job until the block is done."""
    came = []
    handlers = {
        stop: signal.signal(stop, lambda number, _: came.append(number))
        for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        # Python runs handlers in its main thread alone.
        if current_thread() is main_thread() and callable(signal.getsignal(stop))
    }
    try:
        yield
    finally:
        for stop, handler in handlers.items():
            signal.signal(stop, handler)
        for number in came:
            signal.raise_signal(number)


def said(output: str, lines: int = 12) -> str:
    """Return what matters of a renderer's output: its last lines, without stack traces."""
    kept = [
        line.rstrip()
        for line in output.splitlines()
        if line.strip() and not _STACK_FRAME.match(line)
    ]
    return "\n".join(f"  {line}" for line in kept[-lines:]) or "  (it said nothing)"
