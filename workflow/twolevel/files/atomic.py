"""Files written whole or not at all."""

from __future__ import annotations

import errno
import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, moved onto it when the block ends without error.

    The temporary file lies in the same folder because os.replace is atomic only within one file
    system. A block that raises leaves `path` as it was. An OSError of writing names `path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        # A full disk names no file, or what is copied too; and our temporary one would mean nothing
        # to a reader.
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        named = error.filename2 if full and error.filename2 else error.filename
        if error.errno and str(named or temporary) == str(temporary):
            raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def copy(source: str | Path, target: str | Path) -> None:
    """Copy a file's content, whole or not at all."""
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)


def rewrite(path: str | Path, content: bytes) -> None:
    """Give a user's file another content: through a link, and with its rights and owner as before.

    What another user or group owns is written in place: a new file could not be given to them.
    """
    path = Path(path).resolve()
    was = path.stat()
    ours = was.st_uid == os.geteuid() and was.st_gid in {os.getegid(), *os.getgroups()}
    if not ours and os.geteuid() != 0:
        path.write_bytes(content)
        return
    with replacing(path) as temporary:
        temporary.touch(mode=0o600)
        os.chown(temporary, was.st_uid, was.st_gid)
        temporary.write_bytes(content)
        temporary.chmod(S_IMODE(was.st_mode))


def sweep(path: str | Path) -> None:
    """Remove what writers of `path` that were killed left beside it; none may be at work."""
    path = Path(path)
    for left in path.parent.glob(f".????????.{glob.escape(path.name)}"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
