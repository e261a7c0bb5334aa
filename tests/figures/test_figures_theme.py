"""The theme, words and shared parts."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.lines import Line2D

from twolevel.figures.parts import Conditions, evenly, jitter, limits, normal_density
from twolevel.figures.theme import PALETTE, new_figure, save, themed
from twolevel.figures.words import Labels, in_lines, shorten, width
from twolevel.text.literal import plain
from twolevel.text.numbers import significant


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours by WCAG 2."""

    def luminance(colour: str) -> float:
        channels = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


# The grid is to be faint.
@pytest.mark.parametrize(
    "entry", [entry for entry in PALETTE if entry[0] != "grid"], ids=lambda entry: entry[0]
)
def test_contrast_is_enough_on_light_and_dark_pages(entry):
    name, light, dark = entry
    enough = 3.0 if name == "muted" else 4.5
    assert contrast(light, "#ffffff") >= enough
    assert contrast(dark, "#1e2126") >= enough


def test_a_colour_outside_the_palette_is_refused(tmp_path):
    figure = themed(new_figure)(2)
    figure.add_artist(Line2D([0, 1], [0, 1], color="#123456"))
    with pytest.raises(ValueError, match="#123456 is not in the palette"):
        save(figure, tmp_path / "x.svg", title="x")
    assert not (tmp_path / "x.svg").exists()


def test_a_path_is_written_without_date_or_machine(tmp_path):
    figure = themed(new_figure)(2)
    path = tmp_path / "x.svg"
    save(figure, path, title="x")
    document = path.read_text(encoding="utf-8")
    assert not re.search(r"\b20\d\d-\d\d|DOCTYPE|[Mm]atplotlib v", document)
    assert "fill: none" in document


def test_importing_figures_loads_neither_pyplot_nor_scipy_stats():
    code = (
        "import sys, pkgutil, importlib, twolevel.figures as f\n"
        "for m in pkgutil.walk_packages(f.__path__, 'twolevel.figures.'):\n"
        "    importlib.import_module(m.name)\n"
        "print([m for m in ('matplotlib.pyplot', 'scipy.stats') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.filterwarnings("ignore:Glyph")
@given(st.text(st.characters(exclude_categories=[])), st.floats(20, 300))
def test_shortened_text_fits_its_room(text, room):
    short = shorten(text, room)
    assert width(short) <= room or short == "…"
    assert "\n" not in short
    assert short == plain(text) or "…" in short


def test_text_of_two_lines_is_whole_where_both_have_room_and_fits_in_any_case():
    assert in_lines("SD of effects of treatment", 100) == "SD of effects of\ntreatment"
    assert in_lines("SD", 100) == "SD"
    for text in ("SD of effects of a factor with a long name", "unbreakable" * 5, "a " * 60):
        lines = in_lines(text, 100).split("\n")
        assert len(lines) <= 2
        assert all(width(line) <= 100 for line in lines)


def test_shortening_keeps_beginning_and_end():
    short = shorten("condition number one of a very long list: alpha", 100)
    assert short.startswith("condition")
    assert short.endswith("pha")


def test_plain_text_has_no_controls():
    assert plain("a\x00b\tc\ud800\n d") == "a\ufffdb c\ufffd d"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1.7321, "1.73"),
        (-0.02519, "−0.0252"),
        (12345.6, "12346"),
        (2.5e-7, "2.50 × 10⁻⁷"),
        (float("nan"), "–"),
    ],
)
def test_numbers_have_three_digits(value, text):
    assert significant(value) == text


def test_the_unit_survives_a_long_name():
    labels = Labels("a response of a rather long name " * 3, "c", "s", "points")
    text = labels.response_axis(150)
    assert text.endswith("… (points)") or text.endswith(" (points)")
    assert width(text) <= 150
    assert Labels("y", "c", "s").response_axis(150) == "y"


def test_conditions_stand_at_their_numbers_or_in_order():
    assert Conditions.of([0, 1.5, 8]).at.tolist() == [0, 1.5, 8]
    assert Conditions.of([0, 1.5, 8]).names == ("0", "1.5", "8")
    named = Conditions.of(pd.Categorical(["b", "a"], ["b", "a"]))
    assert named.at.tolist() == [0, 1]
    assert named.code(pd.Series(["a", "b", "a"])).tolist() == [1, 0, 1]
    with pytest.raises(ValueError, match="'c' has observations but no mean"):
        named.code(pd.Series(["a", "c"]))


@given(st.integers(1, 10_000), st.integers(2, 100))
def test_choice_is_even_and_keeps_both_ends(count, most):
    chosen = evenly(count, most)
    assert len(chosen) == min(count, most)
    assert (chosen[0], chosen[-1]) == (0, count - 1)
    assert np.ptp(np.diff(chosen)) <= 1 if len(chosen) > 1 else True


def test_jitter_is_fixed_bounded_and_even():
    offsets = jitter(1000)
    assert np.array_equal(offsets[:10], jitter(10))
    assert np.all(np.abs(offsets) <= 0.5)
    assert np.histogram(offsets, 10, (-0.5, 0.5))[0].min() >= 95


def test_limits_of_equal_values_have_width_one():
    assert limits([3.0, 3.0]) == (2.5, 3.5)
    assert limits([0.0, 10.0], [np.nan, 20.0]) == (-1.0, 21.0)


def test_normal_density_has_unit_area_and_its_sd():
    x = np.linspace(-20, 24, 20_001)
    density = normal_density(x, 2.0, 1.5)
    assert np.trapezoid(density, x) == pytest.approx(1, rel=1e-10)
    assert np.trapezoid(density * (x - 2) ** 2, x) == pytest.approx(1.5**2, rel=1e-10)
