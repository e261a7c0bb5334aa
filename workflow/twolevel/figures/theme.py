"""The one theme of all figures: colours with fixed roles, sizes, and how they are written."""

import io
import re
import warnings
from collections.abc import Callable, Sequence
from functools import partial, wraps
from pathlib import Path
from typing import Any, BinaryIO, ParamSpec, TypeVar

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from twolevel.figures.svg.choosing import CHOSEN, with_subjects
from twolevel.figures.words import SIZE, SMALL
from twolevel.files.atomic import replacing
from twolevel.text.literal import plain

P = ParamSpec("P")
R = TypeVar("R")

WIDTH = 4.7  # inches: on a phone text is then about as large as it is here

INK = "#1b1f24"  # means, truth, words
SOFT = "#565d66"  # notes and tick labels
MUTED = "#858c96"  # raw data, axis lines
GRID = "#e4e7ea"
BETWEEN = "#0072b2"
WITHIN = "#c04f00"
MARGINAL = "#00795a"  # between and within together

# Okabe and Ito's blue, vermillion and bluish green; the latter two darkened for words on white, all
# three lightened for dark pages. Name, on a light page, on a dark page.
PALETTE = (
    ("ink", INK, "#eceef1"),
    ("soft", SOFT, "#b4bbc4"),
    ("muted", MUTED, "#8e959f"),
    ("grid", GRID, "#33383f"),
    ("between", BETWEEN, "#56b4e9"),
    ("within", WITHIN, "#f4935a"),
    ("marginal", MARGINAL, "#35c59b"),
    ("chosen", CHOSEN, "#f08cc8"),
)
TRUTH: dict[str, Any] = {"color": INK, "linestyle": (0, (5, 2.5)), "linewidth": 1.5}

FONTS = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

# Layout measures text in DejaVu Sans, which comes with matplotlib and is wider than those fonts.
SETTINGS = {
    "font.family": ["DejaVu Sans"],
    "font.size": SIZE,
    "text.color": INK,
    "text.parse_math": False,  # a "$" in a user's name is a dollar
    "text.usetex": False,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.labelsize": SIZE,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "axes.formatter.limits": (-6, 12),
    "axes.xmargin": 0.05,
    "axes.ymargin": 0.05,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "legend.fontsize": SMALL,
    "legend.title_fontsize": SIZE,
    "legend.borderpad": 0.0,
    "legend.borderaxespad": 0.4,
    "legend.handlelength": 1.8,
    "legend.handletextpad": 0.6,
    "legend.labelspacing": 0.3,
    "legend.columnspacing": 1.4,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "figure.constrained_layout.h_pad": 0.07,
    "figure.constrained_layout.w_pad": 0.07,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,  # letters stay letters, which can be searched and edited
    "svg.hashsalt": "twolevel",
}


def themed(draw: Callable[P, R]) -> Callable[P, R]:
    """Run `draw` under the theme's settings and restore the caller's afterwards."""

    @wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        # The defaults lie beneath, so that a user's matplotlibrc cannot change a published figure.
        with matplotlib.rc_context({**_defaults(), **SETTINGS}), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            return draw(*args, **kwargs)

    return wrapper


def _defaults() -> dict[str, object]:
    # Choosing a backend is pyplot's business.
    return {k: v for k, v in matplotlib.rcParamsDefault.items() if not k.startswith("backend")}


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure of the theme; `height` and `width` are in inches."""
    return Figure(figsize=(width, height), layout="constrained")


@themed
def save(figure: Figure, path_or_file: str | Path | BinaryIO, *, title: str) -> None:
    """Write `figure` as SVG, or, where a path ends so, as PNG of 300 dpi or PDF.

    Equal figures have equal bytes. SVG has text as text and the colours of light paper, which any
    program shows, and in a browser those of a dark page where its reader prefers one; its
    background is transparent, that of PNG and PDF white. `title` becomes the document's title. A
    colour from outside the palette is an error: it would not follow the page.
    """
    if isinstance(path_or_file, str | Path):
        written = _WRITERS[Path(path_or_file).suffix](figure, plain(title))
        with replacing(path_or_file) as temporary:
            temporary.write_bytes(written)
    else:
        path_or_file.write(_svg(figure, plain(title)))


def _svg(figure: Figure, title: str) -> bytes:
    buffer = io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    # Drawn once; `savefig` would draw it twice, the first time for the layout alone.
    FigureCanvasSVG(figure).print_svg(buffer, metadata={**nothing, "Title": title})
    return _restyle(with_subjects(buffer.getvalue().decode("utf-8"))).encode("utf-8")


def _printed(figure: Figure, title: str, kind: str, nothing: Sequence[str]) -> bytes:
    """Write a figure for paper; `nothing` is what would tell of the time and the program."""
    buffer = io.BytesIO()
    metadata = {**dict.fromkeys(nothing), "Title": title}
    figure.savefig(buffer, format=kind, dpi=300, facecolor="white", metadata=metadata)
    return buffer.getvalue()


_WRITERS: dict[str, Callable[[Figure, str], bytes]] = {
    ".svg": _svg,
    ".png": partial(_printed, kind="png", nothing=["Software"]),
    ".pdf": partial(_printed, kind="pdf", nothing=["CreationDate", "Creator", "Producer"]),
}


_CLASS = re.compile(r' class="([^"]*)"')
_COLOUR = re.compile(r"\b(fill|stroke): (#[0-9a-f]{6})\b(?:; )?")


def _restyle(svg: str) -> str:
    """Give an SVG the fonts of a page, and its colours classes that a style sheet can change.

    The colours themselves become attributes, which any program reads and any style sheet outweighs.
    """
    names = {light: name for name, light, _ in PALETTE}

    def tag(found: re.Match[str]) -> str:
        before, style, after = found.groups()
        coloured = dict(_COLOUR.findall(style))
        for colour in re.findall(r"#[0-9a-f]{6}\b", style):
            if colour not in names:
                raise ValueError(f"colour {colour} is not in the palette of figures")
        style = _COLOUR.sub("", style).rstrip("; ").replace("'DejaVu Sans'", FONTS)
        classes = [f"{what}-{names[colour]}" for what, colour in coloured.items()]
        if own := _CLASS.search(before):
            before = _CLASS.sub("", before)
            classes.insert(0, own[1])
        given = {"class": " ".join(classes), **coloured, "style": style}
        return (
            before + "".join(f' {key}="{value}"' for key, value in given.items() if value) + after
        )

    # Only inside tags, never in text: a subject may be called "#1b1f24".
    svg = re.sub(r'(<\w[^<>]*?) style="([^"<>]*)"([^<>]*>)', tag, svg)
    svg = re.sub(r"<!DOCTYPE[^>]*>\s*", "", svg)
    return svg.replace("<defs>", f"<defs>\n  <style>{_dark()}</style>", 1)


def _dark() -> str:
    rules = " ".join(
        f".{what}-{name} {{ {what}: {dark} }}"
        for name, _, dark in PALETTE
        for what in ("fill", "stroke")
    )
    return f"@media screen and (prefers-color-scheme: dark) {{ {rules} }}"
