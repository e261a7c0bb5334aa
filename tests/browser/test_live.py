"""What a page can do beyond being read: draw other subjects, compare spreads, choose a subject."""

import json
import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

TESTS = Path(__file__).parents[1]
LARGE = 20_000
KINDS = ("balanced", "boundary", "slopes", "strata")


def model(view) -> dict:
    """The numbers that the page brings."""
    return view.run("JSON.parse(document.getElementById('live-numbers').textContent)")["model"]


def shown(view, section: str, name: str) -> float:
    """A number in one of the page's places for it."""
    text = view.page.locator(f"#{section} [data-is={name}]").first.inner_text()
    return float(text.replace("−", "-").replace(",", ""))


def test_draws_are_normal_and_the_same_for_the_same_seed(show):
    view = show("balanced")
    first = "seed => { const next = normalDraws(seed); return Array.from({length: 200000}, next); }"
    draws = np.array(view.run(first, 7))
    assert np.array_equal(draws, view.run(first, 7))
    assert not np.any(draws[:100] == view.run(first, 8)[:100])
    # Five standard errors, of the mean, the variance, the fourth moment and of neighbours.
    n = len(draws)
    assert abs(draws.mean()) < 5 / math.sqrt(n)
    assert abs(draws.var() - 1) < 5 * math.sqrt(2 / n)
    assert abs((draws**4).mean() - 3) < 5 * math.sqrt(96 / n)
    for lag in (1, 2):
        assert abs((draws[lag:] * draws[:-lag]).mean()) < 5 / math.sqrt(n)


def estimated(view, model: dict, observations: np.ndarray) -> dict[str, list]:
    """What the page's program estimates from subjects' observations (n, K)."""
    return view.run(
        """([model, observations]) => {
             const squares = new MeanSquares(model);
             for (const each of observations) squares.add(each);
             return squares.estimates;
           }""",
        [model, observations.tolist()],
    )


def around_0(values: list[float]) -> np.ndarray:
    return np.array(values) - np.mean(values)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("line", [True, False])
def test_two_variances_are_those_of_least_squares(show, shared, line):
    """Against residuals by projection, and fits to each subject, of subjects drawn here."""
    rng = np.random.default_rng(3)
    y = rng.normal(5, 2, (6, 1)) + rng.normal(0, 1, (6, 4))
    at = around_0([1, 2, 4, 8])
    own = np.column_stack([np.ones(4), at] if line else [np.ones(4)])
    parts = [
        {"size": float(z @ z), "of": [0] * 4, "at": z.tolist() if k else None, "above": []}
        for k, z in enumerate(own.T)
    ]
    last = {"size": 1, "of": list(range(4)), "at": None, "above": list(range(len(parts)))}
    found = estimated(show("balanced"), {"parts": [*parts, last], "shared": shared}, y)
    design = np.kron(np.eye(6), own)
    if shared:
        design = np.column_stack([design, np.kron(np.ones((6, 1)), np.eye(4))])
    fitted, _, rank, _ = np.linalg.lstsq(design, y.ravel(), rcond=None)
    within = ((y.ravel() - design @ fitted) ** 2).sum() / (y.size - rank)
    coefficients = np.linalg.lstsq(own, y.T, rcond=None)[0]
    raw = np.cov(coefficients, ddof=1).reshape(len(parts), -1)
    share = within * np.linalg.inv(own.T @ own)
    assert found["raw"] == pytest.approx([*np.diag(raw), within], rel=1e-9)
    assert found["share"] == pytest.approx([*np.diag(share), 0], rel=1e-9)
    assert found["corrected"] == pytest.approx([*np.diag(raw - share), within], rel=1e-9)
    if line:
        assert found["covariance"] == pytest.approx((raw - share)[0, 1], rel=1e-9)


def test_mean_squares_of_a_study_are_those_of_its_anova(show, site):
    """Its own observations, given to the program: every number of R's `aov` with error strata."""
    data = pd.read_csv(TESTS / "data/selfesteem2.csv")
    levels = data.sort_values(["id", "treatment", "time"])["score"].to_numpy(float)
    view = show("strata")
    found = estimated(view, model(view), levels.reshape(12, 6) - levels.mean())
    expected = json.loads((TESTS / "reference/strata/selfesteem2.json").read_text("utf-8"))
    errors = [row["Error SS"] / row["den Df"] for row in expected["univariate"]]
    assert found["meanSquares"] == pytest.approx(errors, rel=1e-9)


def test_one_ten_and_a_hundred_other_subjects_by_keyboard(show):
    view = show("balanced")
    section = view.page.locator("#draw-again")
    counts = []
    for name in ("Draw 1 subject", "Draw 10", "Draw 100"):
        section.get_by_role("button", name=name, exact=True).focus()
        view.page.keyboard.press("Enter")
        counts.append(shown(view, "draw-again", "count"))
    assert counts == [1, 11, 111]
    observations = model(view)["observations"]
    pictures = section.get_by_role("img")
    labels = [picture.get_attribute("aria-label") for picture in pictures.all()]
    assert "Histogram of 111 means" in labels[0]
    assert f"Histogram of {111 * observations} residuals" in labels[1]
    # What is read out is one part of the page, and whole.
    spoken = section.locator("[aria-live=polite]")
    assert spoken.get_attribute("aria-atomic") == "true"
    assert spoken.inner_text().startswith("111 subjects drawn. The last one: mean ")
    section.get_by_role("button", name="Start over").press("Space")
    assert shown(view, "draw-again", "count") == 0
    assert "Estimates, corrected: σb² = –, σw² = –." in spoken.inner_text()
    assert view.said == []


@pytest.mark.parametrize("name", KINDS)
def test_after_many_draws_the_estimates_are_the_models(show, name):
    view = show(name)
    view.page.goto(f"{view.path.as_uri()}?drawn={LARGE}&draw=5")
    true = model(view)
    parts = true["parts"]
    made = [expected_parts(parts, k) for k in range(len(parts))]
    raw = [sum(each) / part["size"] for each, part in zip(made, parts, strict=True)]
    # A mean square has as many degrees of freedom as subjects, or more; others are taken off it.
    error = math.sqrt(2 / LARGE)
    for k, part in enumerate(parts):
        own = part["sd"] ** 2
        for what, value in (("raw", raw[k]), ("share", raw[k] - own), ("corrected", own)):
            allowed = 5 * error * sum(raw[k:]) + 1e-3 * value
            assert abs(shown(view, "draw-again", f"{what}-{k}") - value) < allowed, (what, k)
    if true["correlation"]:
        covariance = true["correlation"] * parts[0]["sd"] * parts[1]["sd"]
        allowed = 5 * math.sqrt((raw[0] * raw[1] + covariance**2) / LARGE)
        assert abs(shown(view, "draw-again", "covariance") - covariance) < allowed


def expected_parts(parts: list[dict], place: int) -> list[float]:
    """What the expected mean square of a part is made of."""
    return [
        part["size"] * part["sd"] ** 2 if k == place or place in part["above"] else 0
        for k, part in enumerate(parts)
    ]


@pytest.mark.parametrize("name", KINDS)
def test_subjects_are_drawn_from_the_model(show, name):
    """With the covariance that the parts imply; of lines, from the joint distribution."""
    view = show(name)
    true = model(view)
    drawn = view.run(
        """([model, count]) => {
             const [normal, sds] = [normalDraws(3), model.parts.map(({ sd }) => sd)];
             return Array.from({ length: count }, () =>
               drawnSubject(model, standardSubject(model, normal), sds).observations);
           }""",
        [true, LARGE],
    )
    K = true["observations"]
    columns = [np.array(part["at"] or np.ones(K)) for part in true["parts"]]
    covariance = sum(
        part["sd"] ** 2 * np.outer(z, z) * np.equal.outer(part["of"], part["of"])
        for part, z in zip(true["parts"], columns, strict=True)
    )
    if true["correlation"]:
        first, second = true["parts"][:2]
        both = np.outer(columns[0], columns[1])
        covariance += true["correlation"] * first["sd"] * second["sd"] * (both + both.T)
    found = np.cov(np.array(drawn).T)
    error = np.sqrt((np.outer(*[np.diag(covariance)] * 2) + covariance**2) / LARGE)
    assert np.all(np.abs(found - covariance) < 6 * error)


@pytest.mark.parametrize("name", KINDS[2:])
def test_histograms_fill_up_to_their_curves(show, name):
    view = show(name)
    view.page.goto(f"{view.path.as_uri()}?drawn={LARGE}")
    drawn = view.run(
        """[...document.querySelectorAll('[data-draws]')].map(box => ({
             bars: [...box.querySelectorAll('rect')].map(bar => bar.getBBox())
               .map(({ x, width, height }) => [x + width / 2, height]),
             curve: box.querySelector('.live-curve').getAttribute('d'),
           }))"""
    )
    assert len(drawn) == len(model(view)["parts"])
    for each in drawn:
        bars = np.array(each["bars"])
        curve = np.array(re.findall(r"[\d.]+", each["curve"]), dtype=float).reshape(-1, 2)
        floor = curve[:, 1].max()
        expected = floor - np.interp(bars[:, 0], *curve.T, left=floor, right=floor)
        # A tenth of the draws is in the highest bar: four standard errors of its count.
        assert np.abs(bars[:, 1] - expected).max() < 0.09 * expected.max()


def test_the_address_keeps_what_was_set(show):
    view = show("balanced")
    view.run("location.hash = 'sec-mixed'")
    view.page.locator("#draw-again button", has_text="Start over").click()
    view.page.locator("#draw-again button", has_text="Draw 10").first.click()
    slider = view.page.get_by_role("slider", name="within subjects")
    slider.focus()
    for _ in range(3):
        view.page.keyboard.press("ArrowRight")
    view.page.locator(".choose select").first.select_option("3")
    before = view.page.locator("#draw-again").inner_text(), slider.input_value()
    assert before[1] != str(model(view)["parts"][-1]["sd"])
    address = view.page.url
    assert address.endswith("#sec-mixed")
    query = dict(part.split("=") for part in address.split("?")[1].split("#")[0].split("&"))
    assert set(query) == {"drawn", "draw", "sd-1", "subject"}
    assert (query["drawn"], query["draw"], query["subject"]) == ("10", "2", "3")

    view.page.goto("about:blank")
    view.page.goto(address)
    after = view.page.locator("#draw-again").inner_text(), slider.input_value()
    assert after == before
    assert view.page.locator(".choose select").first.input_value() == "3"
    # What was not set is not in it.
    view.page.get_by_role("button", name="As estimated").click()
    view.page.locator(".choose select").first.select_option("none")
    assert "sd-1" not in view.page.url
    assert "subject=" not in view.page.url


@pytest.mark.parametrize(
    "query", ["drawn=-3&draw=x", "sd-0=1e9&sd-1=-1&subjects=1e6", "subject=%3Cb%3E", "set=NaN"]
)
def test_a_strange_address_does_no_harm(show, query):
    view = show("balanced")
    view.page.goto(f"{view.path.as_uri()}?{query}")
    assert view.page.locator("#intraclass [role=img]").is_visible()
    assert shown(view, "draw-again", "count") == 0
    assert view.page.locator("[data-subject][opacity='1']").count() == 0
    assert view.said == []


@pytest.mark.parametrize("name", KINDS)
def test_sliders_start_from_what_the_study_estimates(show, name, site):
    view = show(name)
    results = site.parent / "results" / name
    mixed, anova = (
        json.loads((results / f"{stage}.json").read_text("utf-8")) for stage in ("mixed", "anova")
    )
    assert shown(view, "intraclass", "icc") == pytest.approx(mixed["icc"], abs=6e-4)
    parts = model(view)["parts"]
    expected = [shown(view, "intraclass", f"expected-{k}") for k in range(len(parts))]
    assert expected == pytest.approx(
        [sum(expected_parts(parts, k)) for k in range(len(parts))], 1e-3
    )
    # In balanced data, with no variance at 0, these are the mean squares of the ANOVA.
    if name in ("balanced", "strata"):
        assert expected == pytest.approx([row["ms"] for row in anova["strata"]], rel=1e-3)
    pieces = """k => [...document.querySelectorAll(`[data-made="${k}"] span`)].map(piece =>
                  piece.clientWidth / piece.parentNode.clientWidth)"""
    for k in range(len(parts)):
        made = np.array([each for each in expected_parts(parts, k) if each])
        widths = [each for each in view.run(pieces, k) if each]
        assert np.allclose(sorted(widths), sorted(made / made.sum()), atol=0.01)


def test_f_tests_divide_by_the_mean_squares_that_the_page_names(show):
    view = show("strata")
    named = view.page.locator("#intraclass dt").all_inner_texts()
    found = [re.findall("F of (.*) divides", text) for text in named]
    assert found == [[], ["treatment"], ["time"], ["treatment:time"]]
    formulas = view.page.locator("#intraclass dd:first-of-type").all_inner_texts()
    assert formulas[0].startswith("6σb² + 3σtreatment² + 2σtime² + σw² = ")
    assert formulas[1].startswith("3σtreatment² + σw² = ")


@pytest.mark.parametrize("name", ["balanced", "strata"])
def test_sliders_from_all_between_to_all_within(show, name):
    view = show(name)
    true = model(view)
    points = """[...document.querySelectorAll('#intraclass circle')]
                  .map(({ cx, cy }) => [cx.baseVal.value, cy.baseVal.value])"""
    press = view.page.get_by_role("button", name="All variance between").click
    press()
    assert shown(view, "intraclass", "icc") == 1
    assert shown(view, "intraclass", "raw-0") == shown(view, "intraclass", "corrected-0")
    columns = np.array(view.run(points)).reshape(-1, true["observations"], 2)
    assert np.ptp(columns[..., 1], axis=1).max() < 1e-6
    view.page.get_by_role("button", name="All within").click()
    assert shown(view, "intraclass", "icc") == 0
    bars = view.run("[...document.querySelectorAll('.live-mean')].map(m => m.getBBox().y)")
    assert np.ptp(bars) < 1e-3
    # The draws stay the same until others are asked for.
    within = np.array(view.run(points))
    press()
    view.page.get_by_role("button", name="All within").click()
    assert np.array_equal(view.run(points), within)
    view.page.get_by_role("button", name="Draw them again").click()
    assert not np.array_equal(view.run(points), within)


def test_sliders_by_keyboard(show):
    view = show("balanced")
    iccs = []
    view.page.get_by_role("slider", name="between subjects").focus()
    for key in ("Home", "PageUp", "PageUp", "ArrowRight", "End"):
        view.page.keyboard.press(key)
        iccs.append(shown(view, "intraclass", "icc"))
    assert iccs[0] == 0
    assert all(one < other for one, other in pairwise(iccs))
    number = view.page.get_by_role("slider", name="n, subjects")
    number.focus()
    view.page.keyboard.press("End")
    label = view.page.locator("#intraclass [role=img]").get_attribute("aria-label")
    assert label.startswith(f"{number.input_value()} subjects with ")
    assert number.get_attribute("aria-valuetext") == number.input_value() == "60"


def marked(view) -> dict[str, set[str]]:
    """The subjects that each figure shows."""
    pairs = view.run(
        """[...document.querySelectorAll("[data-subject][opacity='1']")]
             .map(mark => [mark.closest('figure').id, mark.dataset.subject])"""
    )
    return {figure: {name for of, name in pairs if of == figure} for figure, _ in pairs}


def everywhere(subject: str) -> dict[str, set[str]]:
    """What `marked` finds where all figures show a subject."""
    return {figure: {subject} for figure in FIGURES}


FIGURES = {"fig-data", "fig-caterpillar", "fig-shrinkage", "fig-influence"}


@pytest.mark.parametrize("name", ["balanced", "slopes", "unbalanced"])
def test_a_subject_chosen_in_one_figure_is_shown_in_all(show, name, site):
    view = show(name)
    view.unfold()
    assert marked(view) == {}
    choices = view.page.locator(".choose select")
    assert choices.count() == len(FIGURES)
    subjects = view.run("JSON.parse(document.getElementById('live-numbers').textContent)")[
        "subjects"
    ]
    choices.nth(2).focus()
    view.page.keyboard.press("ArrowDown")
    view.page.keyboard.press("ArrowDown")
    subject, *numbers = subjects["rows"][1]
    assert marked(view) == everywhere(subject)
    assert {choice.input_value() for choice in choices.all()} == {subject}
    for box in view.page.locator(".choose p").all():
        assert box.locator("b").all_inner_texts() == numbers
    # Of four boxes that say the same, the one in use is read out.
    live = view.run("[...document.querySelectorAll('.choose p')].map(p => p.ariaLive)")
    assert live == [None, None, "polite", None]
    assert view.said == []


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_nothing_moves_while_subjects_are_chosen(show, device):
    """Or a click would fall on another subject than the mouse was over."""
    view = show("slopes", device)
    view.unfold()
    view.page.wait_for_timeout(200)  # what is unfolded has a width now
    choice = view.page.locator(".choose select").nth(1)
    places = set()
    for name in choice.locator("option").all_inner_texts():
        choice.select_option(name)
        places.add(view.run("document.getElementById('fig-influence').offsetTop"))
    assert len(places) == 1


def test_a_long_name_makes_no_page_wider(show):
    view = show("balanced", "phone")
    view.unfold()
    view.run(
        """for (const choice of document.querySelectorAll('.choose select')) {
             choice.append(new Option('long '.repeat(99)));
           }"""
    )
    assert view.run("document.documentElement.scrollWidth") == view.page.viewport_size["width"]


def test_a_mouse_over_a_subject_shows_it_and_a_click_keeps_it(show):
    view = show("balanced")
    view.unfold()
    figure = view.page.locator("#fig-shrinkage")
    figure.scroll_into_view_if_needed()
    place = """name => {
      const mark = document.querySelector(`#fig-shrinkage [data-subject='${name}']`);
      const { x, y, width, height } = mark.getBoundingClientRect();
      return [x + width / 2 + 2, y + height / 2];
    }"""
    view.page.mouse.move(*view.run(place, "5"))
    assert marked(view) == everywhere("5")
    assert "subject" not in view.page.url
    view.page.mouse.move(2, 2)
    assert marked(view) == {}
    at = view.run(place, "4")
    view.page.mouse.click(*at)
    view.page.mouse.move(2, 2)
    assert marked(view) == everywhere("4")
    assert "subject=4" in view.page.url
    view.page.mouse.click(*at)
    assert marked(view) == {}


def test_a_finger_on_a_subject_chooses_it(show):
    view = show("balanced", "phone", has_touch=True)
    view.unfold()
    figure = view.page.locator("#fig-influence svg").first
    figure.scroll_into_view_if_needed()
    box = view.page.locator("#fig-influence [data-subject='2']").first.bounding_box()
    view.page.touchscreen.tap(box["x"] + 6, box["y"] + 6)
    assert marked(view)["fig-data"] == {"2"}


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_moves_for_who_prefers_so(show, motion, moves):
    view = show("balanced", reduced_motion=motion)
    view.page.locator("#draw-again button").first.click()
    durations = view.run(
        """[...document.querySelectorAll('.live *, .choose *, [data-subject]')]
             .map(each => getComputedStyle(each)).flatMap(style =>
               [style.transitionDuration, style.animationDuration])"""
    )
    assert (max(float(time.removesuffix("s")) for time in durations) > 0) == moves


def test_without_scripts_nothing_is_promised(show):
    view = show("balanced", java_script_enabled=False)
    assert view.page.locator(".live").count() == 2
    assert not any(section.is_visible() for section in view.page.locator(".live").all())
    assert view.page.locator(".choose").count() == 0
    numbers = json.loads(view.page.locator("#live-numbers").text_content())
    assert numbers["model"]["subjects"] == 12


def test_nothing_is_asked_of_a_network(show):
    view = show("balanced")
    view.unfold()
    for button in view.page.locator(".live button").all():
        button.click()
    view.page.locator(".choose select").last.select_option("7")
    assert [url for url in view.requests if not url.startswith("data:")] == [view.path.as_uri()]
    assert view.said == []


def test_a_page_inside_another_has_no_address_and_works(show):
    """Nor has it other subjects to draw, where the model is of another kind."""
    view = show("balanced")
    page = view.path.read_text("utf-8")
    html = re.sub(r'{"model": .*?}, "subjects"', '{"model": null, "subjects"', page)
    html = re.sub(r'<section class="live".*?</section>', "", html, flags=re.DOTALL)
    view.page.goto("about:blank")
    view.page.set_content(html)
    view.page.locator(".choose select").first.select_option("3")
    assert marked(view) == everywhere("3")
    assert view.page.url == "about:blank"
    assert view.said == []


@pytest.mark.parametrize("device", ["desktop", "phone"])
@pytest.mark.parametrize(("name", "count"), [("balanced", 3), ("strata", 5)])
def test_pictures_fit_and_words_in_them_keep_their_size(show, device, name, count):
    view = show(name, device)
    pictures = view.run(
        """[...document.querySelectorAll('.live svg')].map(svg =>
             [svg, svg.closest('.live'), ...svg.querySelectorAll('text')].map(each =>
               each.getBoundingClientRect())).map(([svg, box, ...words]) =>
               [svg.right, box.right, Math.min(...words.map(word => word.height))])"""
    )
    assert len(pictures) == count
    for right, edge, height in pictures:
        assert right <= edge
        assert height >= 12
