"""What holds for every figure, whatever the data."""

import math
import re
import time
import warnings
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest
from PIL import Image

from twolevel.figures.theme import PALETTE, save
from twolevel.figures.words import Labels, width

TEXT = "{http://www.w3.org/2000/svg}text"
LARGEST = 300_000  # bytes


def texts(svg: bytes) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter(TEXT)]


EXPECTED = {
    "one_subject": ["score (points)", "time", "person p0: own fit", "t1", "t2", "t3"],
    "three_subjects": ["score (points)", "time", "person p0", "person p2", "ηᵢⱼ", "t1"],
    "data_by_subject": ["score (points)", "time", "condition mean", "12 subjects", "t1"],
    "missingness": ["seen", "missing", "per pattern", "time", "t1", "t2", "t3", "12"],
    "distributions": ["12 subject means", "36 residuals", "residual ηᵢⱼ (points)"],
    "conditional_marginal": ["score (points)", "t1", "t2", "t3", "observations"],
    "caterpillar": ["person", "p0", "p11", "predicted deviation Sᵢ in score (points)"],
    "shrinkage": ["no shrinkage", "predicted deviation Sᵢ (BLUP) (points)", "n = 3: × 0.818"],
    "covariance": ["observed", "implied by the model", "t1", "3.00", "5.00"],
    "condition_means": ["score (points)", "time", "mean and 95% interval", "t2"],
    "residuals_fitted": ["fitted score (points)", "residual ηᵢⱼ (points)", "running median"],
    "quantile_plots": [
        "standard normal quantile",
        "residual ηᵢⱼ (points)",
        "random effect Sᵢ (points)",
        "95% at each point",
    ],
    "scale_location": ["√(|ηᵢⱼ| / SD within)", "time", "mean", "t2"],
    "influence": [
        "Cook's distance",
        "person, in the data's order",
        "change in SD between (%)",
        "change in SD within (%)",
    ],
    "profile_zeta": ["SD between (points)", "SD within (points)", "ICC", "time[T.t2]", "ζ"],
}


def test_words_stay_text(study, name, svg):
    found = texts(svg(study.draw(name)))
    assert set(EXPECTED[name]) <= set(found)


@pytest.mark.parametrize(
    "name", ["condition_means", "caterpillar", "quantile_plots", "profile_zeta"]
)
def test_the_level_is_named(study, name, svg):
    found = " ".join(texts(svg(study.draw(name, level=0.9))))
    assert "90%" in found
    assert not re.search(r"95%|1\.96", found)


def test_intervals_and_bands_are_of_the_level(study):
    wide, narrow = (study.draw("caterpillar", level=level) for level in (0.95, 0.9))
    widths = [np.ptp(f.axes[0].collections[0].get_segments()[0][:, 0]) for f in (wide, narrow)]
    assert widths[1] / widths[0] == pytest.approx(1.644854 / 1.959964, rel=1e-6)
    wide, narrow = (study.draw("distributions", level=level) for level in (0.95, 0.9))
    bands = [f.axes[2].collections[0].get_paths()[0].vertices[:, 1] for f in (wide, narrow)]
    assert np.ptp(bands[1]) < np.ptp(bands[0])


def test_equal_data_give_equal_bytes(study, name, svg):
    assert svg(study.draw(name)) == svg(study.draw(name))


def test_every_colour_is_one_of_paper_that_a_dark_page_changes(study, name, svg):
    document = svg(study.draw(name)).decode()
    style = re.search(r"<style>(.*?)</style>", document).group(1)
    dark = dict(re.findall(r"\.([\w-]+) { \w+: (#[0-9a-f]{6}) }", style))
    assert style.startswith("@media screen and (prefers-color-scheme: dark) {")
    assert dark == {f"{w}-{n}": colour for n, _, colour in PALETTE for w in ("fill", "stroke")}
    light = {name: colour for name, colour, _ in PALETTE}
    elements = list(ET.fromstring(document).iter())
    for element in elements:
        classes = [one.split("-") for one in element.get("class", "").split() if "-" in one]
        colours = {what: element.get(what) for what in ("fill", "stroke") if element.get(what)}
        assert {what: light[named] for what, named in classes} == colours
        assert not re.search(r"#[0-9a-f]{3}|rgb|var", element.get("style", ""))
    assert sum(bool(element.get("class")) for element in elements) > 5
    assert "<image" not in document


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_figures_for_paper_are_light_sharp_and_the_same_every_time(study, kind, tmp_path):
    files = [tmp_path / f"{k}.{kind}" for k in range(2)]
    for file in files:
        figure = study.draw("distributions")
        save(figure, file, title="distributions")
    one, other = (file.read_bytes() for file in files)
    assert one == other
    assert not re.search(rb"[Mm]atplotlib|CreationDate", one)
    if kind == "pdf":
        assert one.startswith(b"%PDF")
        assert b"/Subtype /Image" not in one
        assert b"/FontFile2" in one  # its letters are letters
        return
    with Image.open(files[0]) as image:
        assert [round(side) for side in image.info["dpi"]] == [300, 300]
        assert image.size == pytest.approx(300 * figure.get_size_inches(), abs=1)
        pixels = np.asarray(image.convert("RGBA"))
    assert (pixels[..., 3] == 255).all()
    assert (pixels[0, 0] == 255).all()


def test_settings_are_left_alone(study, name, svg):
    before = dict(matplotlib.rcParams)
    svg(study.draw(name))
    assert dict(matplotlib.rcParams) == before


def test_the_users_settings_change_nothing(study, name, svg):
    expected = svg(study.draw(name))
    with matplotlib.rc_context({"font.size": 4, "xtick.direction": "in", "font.weight": "bold"}):
        assert svg(study.draw(name)) == expected


CONDITIONS = ("$x$", "<script>", "{{7*7}}", "_a|b", "条件", '#000000 style="#12"')


def test_names_are_drawn_literally(simulate, name, svg):
    labels = Labels("$y$", "{{7*7}}", "<script>", "$u_|")
    study = simulate(8, CONDITIONS, person="$_{}^<&>")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        document = svg(study.draw(name, labels), title="<$x$ & {{7*7}}>\x00")
    found = " ".join(texts(document))
    wanted = {
        "three_subjects": [*CONDITIONS[:5], "$y$ ($u_|)", "{{7*7}}", "<script> $_0^<&>"],
        "one_subject": [*CONDITIONS[:5], "$y$ ($u_|)", "{{7*7}}", "<script> $_0^<&>"],
        "data_by_subject": [*CONDITIONS[:5], "$y$ ($u_|)", "{{7*7}}"],
        "missingness": [*CONDITIONS[:5], "{{7*7}}"],
        "distributions": ["residual ηᵢⱼ ($u_|)"],
        "conditional_marginal": ["$x$", "_a|b", "$_", "^<&>"],
        "caterpillar": ["$_0^<&>", "$_7^<&>", "<script>", "$y$ ($u_|)"],
        "shrinkage": ["(BLUP) ($u_|)"],
        "covariance": [*CONDITIONS[:5], "{{7*7}}", "$u_|"],
        "condition_means": [*CONDITIONS[:5], "$y$ ($u_|)", "{{7*7}}"],
        "residuals_fitted": ["fitted $y$ ($u_|)"],
        "quantile_plots": ["residual ηᵢⱼ ($u_|)", "random effect Sᵢ ($u_|)"],
        "scale_location": [*CONDITIONS[:5], "{{7*7}}"],
        "influence": ["Each <script> left out", "<script>, in the data's order", "$_", "^<&>"],
        "profile_zeta": [f"[T.{name}]" for name in CONDITIONS[:5]],
    }[name]
    assert [word for word in wanted if word not in found] == []
    title = ET.fromstring(document).find("{http://www.w3.org/2000/svg}title").text
    assert title == "<$x$ & {{7*7}}>\ufffd"


def words_outside(svg: bytes) -> list[str]:
    """Return the words that a reader would see cut off at the picture's edge."""
    root = ET.fromstring(svg)
    across, down = (float(side) for side in root.get("viewBox").split()[2:])
    found = []
    for element in root.iter(TEXT):
        style = element.get("style")
        length = width("".join(element.itertext()), float(re.search(r"([\d.]+)px", style)[1]))
        anchor = re.search(r"anchor: (\w+)", style)
        before = {"start": 0, "middle": 0.5, "end": 1}[anchor[1] if anchor else "start"]
        place = element.get("transform")
        if moved := re.search(r"translate\((\S+) (\S+)\)", place):
            x, y = map(float, moved.groups())
        else:
            x, y = float(element.get("x")), float(element.get("y"))
        turned = re.search(r"rotate\(([^ )]+)", place)
        turn = float(turned[1]) if turned else 0.0
        for along in (-before * length, (1 - before) * length):
            end_x = x + along * math.cos(math.radians(turn))
            end_y = y + along * math.sin(math.radians(turn))
            if not (-1 <= end_x <= across + 1 and -1 <= end_y <= down + 1):
                found.append("".join(element.itertext()))
    return found


def test_long_names_fit(simulate, name, svg):
    long = "a name much longer than any axis of a figure could ever be " * 3
    study = simulate(8, tuple(f"{long}{j}" for j in range(6)), person=long + "{}")
    assert words_outside(svg(study.draw(name, Labels(long, long, long, long)))) == []


CASES = {
    "one condition": {"conditions": ("t1",)},
    "twenty conditions": {"count": 40, "conditions": tuple(f"t{j}" for j in range(20))},
    "numeric conditions": {"conditions": (0, 1, 2.5, 8)},
    "replicates": {"replicates": 3},
    "missing cells": {"count": 30, "missing": 0.4},
    "boundary": {"sigma_between": 0.0},
    "two subjects": {"count": 2},
    "one subject": {"count": 1},
    "large numbers": {"offset": 1e9},
}


@pytest.mark.parametrize("case", CASES)
def test_every_design_is_drawn(simulate, name, case, svg):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        document = svg(simulate(**CASES[case]).draw(name))
    assert words_outside(document) == []
    assert len(document) < LARGEST
    assert "nan" not in re.sub(r"<text.*?</text>", "", document.decode()).lower()


LONG = "a group's name much longer than any key of a figure could ever be " * 5
GROUPS = {
    "2 x 2": ({"count": 10, "conditions": ("t1", "t2")}, ("control", "treated")),
    "3 x 3": ({"count": 45}, ("g1", "g2", "g3")),
    "10 x 6": ({"count": 60, "conditions": tuple(f"t{j}" for j in range(10))}, tuple("abcdef")),
    "numeric conditions": ({"conditions": (0, 1, 2.5, 8)}, (1, 2, 3)),
    "far conditions": ({"conditions": (0, 1, 1000)}, ("g1", "g2")),
    "10,000 subjects": ({"count": 10_000}, ("g1", "g2", "g3")),
    "hostile names": ({}, ("$x$", "<b>", "{{7*7}}", "_a|b", "条件")),
    "long names": ({}, tuple(f"{LONG}{k}" for k in range(6))),
    "two long names": ({}, (LONG + "1", LONG + "2")),
}


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("case", GROUPS)
def test_groups_of_every_design_are_drawn(simulate, case, svg):
    changed, levels = GROUPS[case]
    study = simulate(**changed)
    given = study.grouped(levels)
    if "long" in case:
        given["factor"] = LONG
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        document = svg(study.draw("condition_means", **given))
    assert words_outside(document) == []
    assert len(document) < 150_000
    assert "nan" not in re.sub(r"<text.*?</text>", "", document.decode()).lower()
    found = texts(document)
    if "long" in case:
        assert sum(word.startswith("a gro") for word in found) == len(levels) + 1
    else:
        assert {str(level) for level in levels} <= set(found)
        assert "group: means and 95% intervals" in found


@pytest.mark.parametrize("count", [10, 10_000, 100_000])
def test_file_and_time_stay_small(simulate, large, name, count, svg):
    study = large(count)
    started = time.process_time()
    document = svg(study.draw(name))
    assert time.process_time() - started < 4
    assert len(document) < 150_000


@pytest.fixture(scope="module")
def large(simulate):
    made = {}

    def get(count):
        if count not in made:
            made[count] = simulate(count)
        return made[count]

    return get
