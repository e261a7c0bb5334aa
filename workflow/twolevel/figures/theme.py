"""The one theme of all figures: colours with fixed roles, sizes, SVG for light and dark pages."""

import functools
import io
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, ParamSpec, TypeVar

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from twolevel.figures.svg.choosing import CHOSEN, with_subjects
from twolevel.figures.words import SIZE, SMALL, plain
from twolevel.files.atomic import replacing

P = ParamSpec("P")
R = TypeVar("R")

WIDTH = 6.6  # inches; on a phone a figure shrinks to about half, so text must not be small in it

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
    "svg.hashsalt": "twolevel",
}


def themed(draw: Callable[P, R]) -> Callable[P, R]:
    """Run `draw` under the theme's settings and restore the caller's afterwards."""

    @functools.wraps(draw)
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
    """Write `figure` as SVG: text as text, equal bytes for equal figures, light and dark colours.

    `title` becomes the document's `<title>`. The background is transparent. The SVG carries its
    colours as CSS variables with values for `prefers-color-scheme: dark`, because a page cannot
    style an `<img>`. A colour from outside the palette is an error: it would not follow the page.
    """
    buffer = io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    # Drawn once; `savefig` would draw it twice, the first time for the layout alone.
    FigureCanvasSVG(figure).print_svg(buffer, metadata={**nothing, "Title": plain(title)})
    svg = _restyle(with_subjects(buffer.getvalue().decode("utf-8"))).encode("utf-8")
    if isinstance(path_or_file, str | Path):
        with replacing(path_or_file) as temporary:
            temporary.write_bytes(svg)
    else:
        path_or_file.write(svg)


def _restyle(svg: str) -> str:
    variables = {light: f"var(--{name})" for name, light, _ in PALETTE}

    def variable(colour: re.Match[str]) -> str:
        if colour[0] not in variables:
            raise ValueError(f"colour {colour[0]} is not in the palette of figures")
        return variables[colour[0]]

    def tag(found: re.Match[str]) -> str:
        coloured = re.sub(r"(?<=: )#[0-9a-f]{6}\b", variable, found[0])
        return coloured.replace("'DejaVu Sans'", FONTS)

    # Only inside tags, never in text: a subject may be called "#1b1f24".
    svg = re.sub(r"<\w[^<>]* style=[^<>]*>", tag, svg)
    svg = re.sub(r"<!DOCTYPE[^>]*>\s*", "", svg)
    return svg.replace("<defs>", f"<defs>\n  <style>{_stylesheet()}</style>", 1)


def _stylesheet() -> str:
    light = "; ".join(f"--{name}: {colour}" for name, colour, _ in PALETTE)
    dark = "; ".join(f"--{name}: {colour}" for name, _, colour in PALETTE)
    return f"svg {{ {light} }} @media (prefers-color-scheme: dark) {{ svg {{ {dark} }} }}"
