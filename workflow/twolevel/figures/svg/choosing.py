"""Marks of single subjects, unseen until a reader of the page chooses one.

The page's program shows the marks of the subject that is chosen in any figure, in all of them (see
`reports/live/choose_subject.js`). They lie over a figure that is complete without them, so that it
may draw a part of the subjects, or bands, and still show each one. In the file each mark has the
attribute `data-subject`. Of more subjects than MOST_SUBJECTS none can be chosen.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import quoteattr

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from twolevel.findings.live.each_subject import MOST_SUBJECTS
from twolevel.text.literal import plain

CHOSEN = "#a0266f"  # no other colour of figures has a part in this

# Always, so that no name looks like an attribute to what colours the figure.
_QUOTE = {'"': "&quot;"}
_KEY = "subjects:"
_GROUP = re.compile(rf"""<g id=(["']){_KEY}(.*?)\1>""")
_PARTS = re.compile(r"<g\b|</g>|<defs>.*?</defs>|<(?:use|path)\b[^>]*>", re.DOTALL)
_STYLE = re.compile(r' style="([^"]*)"')
_CLIP = re.compile(r' clip-path="[^"]*"')
_LOOKS = {"use": f"fill: {CHOSEN}", "path": f"fill: none; stroke: {CHOSEN}; stroke-width: 2.8"}


def points(ax: Axes, subjects: Sequence[object], x: np.ndarray, y: np.ndarray) -> None:
    """Put points of subjects at (x, y), both (n,); where either is NaN there is none."""
    if len(set(subjects)) > MOST_SUBJECTS:
        return
    seen = np.isfinite(x) & np.isfinite(y)
    style = {"color": CHOSEN, "markersize": 8, "markeredgewidth": 0, "zorder": 6, "alpha": 0}
    (artist,) = ax.plot(x[seen], y[seen], "o", **style)
    _belong(artist, [subject for subject, here in zip(subjects, seen, strict=True) if here])


def lines(ax: Axes, subjects: Sequence[object], x: np.ndarray, y: np.ndarray) -> None:
    """Join the points (x, y), both (n, m), of each subject by a line; NaN interrupts it."""
    if len(set(subjects)) > MOST_SUBJECTS:
        return
    style = {"color": CHOSEN, "zorder": 5, "alpha": 0}
    artist = LineCollection(np.stack([x, y], axis=2), **style)
    ax.add_collection(artist, autolim=False)
    _belong(artist, subjects)


def _belong(artist: Artist, subjects: Sequence[object]) -> None:
    """Let the group of this artist's marks say whose each is, until the file is written."""
    artist.set_gid(_KEY + json.dumps([plain(subject) for subject in subjects]))


def with_subjects(svg: str) -> str:
    """The text of an SVG in which each mark of a subject bears its name.

    Raises ValueError if a group has not one mark for each of its subjects.
    """
    return "".join(_pieces(svg))


def _pieces(svg: str) -> Iterator[str]:
    rest = 0
    for group in _GROUP.finditer(svg):
        yield svg[rest : group.start()]
        subjects = json.loads(html.unescape(group[2]))
        marks, definitions, depth = [], [], 1
        for part in _PARTS.finditer(svg, group.end()):
            if part[0] == "</g>":
                depth -= 1
                if depth == 0:
                    rest = part.end()
                    break
            elif part[0] == "<g":
                depth += 1
            elif part[0].startswith("<defs>"):
                definitions.append(part[0])
            else:
                marks.append(part[0])
        clip = _CLIP.search(svg, group.end(), rest)
        yield _group(subjects, marks, "".join(definitions), clip[0] if clip else "")
    yield svg[rest:]


def _group(subjects: Sequence[str], marks: Sequence[str], definitions: str, clip: str) -> str:
    """The marks in a group that has once how all of them look; the artist's is that of nothing."""
    if len(marks) != len(subjects):
        raise ValueError(f"{len(marks)} marks of {len(subjects)} subjects; expected one of each")
    named, look = [], ""
    for mark, subject in zip(marks, subjects, strict=True):
        tag, rest = _CLIP.sub("", _STYLE.sub("", mark)).split(" ", 1)
        look = _LOOKS[tag[1:]]
        named.append(f'{tag} data-subject={quoteattr(subject, _QUOTE)} opacity="0" {rest}\n')
    return f'{definitions}<g class="subjects"{clip} style="{look}">\n{"".join(named)}</g>'
