"""A published page: its own provenance, checked as a stranger's, and the tables that it carries."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import StringConstraints, ValidationError

from twolevel.pipeline.config.check import Config, load
from twolevel.pipeline.config.keys import Model, StudyName, Text
from twolevel.text.errors import InputError, quoted

FILE = "provenance.json"
_BASE64 = ";base64,"
_LINK = re.compile(r"<a\s([^<>]*+)>")
_ATTRIBUTE = re.compile(r'(?<![\w-])([\w-]++)="([^"]*+)"')
_RENDERER = re.compile(r'<span class="renderer">([^<]*+)<')
# Folders that a run writes to, so that no table may lie there.
_WRITTEN = {"results", "logs", "benchmarks", "site", ".snakemake"}


class _Code(Model):
    commit: Annotated[str, StringConstraints(pattern="^[0-9a-f]{40,64}$")]
    changed: bool


class File(Model):
    """A file's name without folders, and its SHA-256."""

    name: Text
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class _Table(File):
    name: Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.csv$")]


class Provenance(Model):
    """What a page says of its making, as `provenance.provenance` writes it."""

    report: StudyName
    config: dict[str, Any]
    versions: dict[str, str]
    code: _Code | None
    inputs: list[File]
    tables: list[_Table]


@dataclass(frozen=True)
class Published:
    """A page: what it says of its making, and its renderer; checksums of all that it carries.

    `sha256` is that of the page itself.
    """

    provenance: Provenance
    config: Config
    carried: dict[str, str]
    renderer: str
    sha256: str


def read_page(path: str | Path) -> Published:
    """Read a page that a run has made, or that somebody has changed since.

    The page may be anyone's: what it asks for is checked as a config is, and nothing of it is run.
    Raises InputError.
    """
    try:
        content = Path(path).read_bytes()
        page = _Page(content.decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason}); expected a study's page") from None
    if FILE not in page.carried:
        raise InputError(
            f"{path}: carries no {FILE}; expected the page of a study, as twolevel makes it"
        )
    try:
        provenance = Provenance.model_validate(json.loads(page.carried[FILE]))
        config = load(provenance.config)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "all of it"
        raise _unusable(path, f"{place}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise _unusable(path, error) from None
    entries = {**config.studies, **config.replications}
    if provenance.report not in entries or len(config.studies) > 1 or len(config.replications) > 1:
        raise _unusable(path, "its config is not that of its report alone")
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in page.carried.items()}
    return Published(provenance, config, sums, page.renderer, hashlib.sha256(content).hexdigest())


def _unusable(path: str | Path, why: object) -> InputError:
    return InputError(
        f"{path}: its {FILE} is not as twolevel writes it ({' '.join(str(why).split())}); "
        "take the page as it was published"
    )


def place_of(data: str, path: str | Path) -> PurePosixPath:
    """Where a page's table has to lie in the folder of its run. Raises InputError.

    Only below that folder, and not where the run writes.
    """
    place = PurePosixPath(data)
    first = place.parts[0].casefold() if place.parts else ""
    if place.is_absolute() or ".." in place.parts or first in {"", *_WRITTEN}:
        raise _unusable(path, f"its table cannot lie in {quoted(data)}")
    return place


class _Page:
    """The files that a page carries behind links, and the text that names its renderer.

    Tags are found one by one, none of them longer than up to the next one, so that no page takes
    more time than its length.
    """

    def __init__(self, html: str) -> None:
        self.carried: dict[str, bytes] = {}
        for tag in _LINK.finditer(html):
            given = {name: unescape(value) for name, value in _ATTRIBUTE.findall(tag[1])}
            name, (kind, _, data) = given.get("download"), given.get("href", "").partition(_BASE64)
            if name and kind.startswith("data:"):
                self._carry(name, data)
        named = _RENDERER.search(html)
        self.renderer = unescape(named[1]).strip() if named else ""

    def _carry(self, name: str, data: str) -> None:
        if name in self.carried:
            raise InputError(f"the page carries {quoted(name)} twice; take it as it was published")
        try:
            self.carried[name] = base64.b64decode(data, validate=True)
        except ValueError:
            raise InputError(f"the page carries {quoted(name)}, but not as base64") from None
