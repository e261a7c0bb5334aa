"""What a file holds, in one number."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

# A file above this size takes longer to read than one would wait for the plan of a run.
LARGE = 100_000_000


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(path: str | Path) -> str:
    """What changes when a file does, whatever date it has: its SHA-256.

    Of a file above LARGE bytes, its size and date in nanoseconds.
    """
    about = Path(path).stat()
    return sha256(path) if about.st_size <= LARGE else f"{about.st_size} {about.st_mtime_ns}"


def checksums(paths: Sequence[str | Path]) -> list[dict[str, str]]:
    """The SHA-256 of files, by their names without folders."""
    return [{"name": Path(path).name, "sha256": sha256(path)} for path in paths]
