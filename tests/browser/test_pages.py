"""Every page of a small site in a real browser: wide and narrow, light and dark."""

import base64
import hashlib
import io
import re
from types import SimpleNamespace

import pytest
from small_site import PAGES, STUDIES
from views import WIDTHS, View

SERIOUS = ("serious", "critical")


@pytest.fixture(params=[(d, s) for d in WIDTHS for s in ("light", "dark")], ids="-".join)
def setting(request) -> tuple[str, str]:
    """A width and a colour scheme."""
    return request.param


@pytest.fixture(params=PAGES)
def view(request, show, setting) -> View:
    """Each page in each setting."""
    return show(request.param, *setting)


def test_page_is_sound(view):
    """One visit, many looks: opening a page is what takes time."""
    page = view.page
    # Scrolled to its end first, so that nothing is still to be loaded.
    view.run("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")
    assert view.said == []
    own = [url for url in view.requests if not url.startswith("data:")]
    assert own == [view.path.as_uri()]

    width = "[document.documentElement.scrollWidth, innerWidth]"
    scroll, inner = view.run(width)
    assert scroll <= inner

    shown = "document.querySelectorAll('figure > svg[role=img]')"
    figures = view.run(f"[...{shown}].map(svg => [svg.ariaLabel, svg.clientWidth])")
    assert len(figures) == view.run("document.querySelectorAll('figure[id^=fig-]').length")
    assert len(figures) > 4 or view.path.stem == "index"
    for label, shown in figures:
        assert shown > 200
        assert len(label) > 20

    # Nothing sticks out of the page unless it can be scrolled to.
    outside = view.run(
        """() => [...document.querySelectorAll("main *")].filter(e => {
             const box = e.getBoundingClientRect();
             return box.width > 0 && box.right > innerWidth + 1
               && !e.closest("svg, .table-scroll, .display, [role=tablist]");
           }).map(e => e.outerHTML.slice(0, 100))"""
    )
    assert outside == []


def test_no_anchor_leads_nowhere(show, site):
    for name in PAGES:
        view = show(name)
        links = view.run(
            """() => [...document.links].filter(a => !a.ariaHidden)
                 .map(a => [a.getAttribute("href"), a.textContent])"""
        )
        assert links
        for href, text in links:
            assert text.strip(), href
            if href.startswith("#"):
                assert view.run("id => document.getElementById(id) !== null", href[1:]), href
            elif not href.startswith("data:"):
                file, _, anchor = href.partition("#")
                assert (site / file).is_file(), href
                assert not anchor
    cards = show("index").run("[...document.querySelectorAll('.card a')].map(a => a.innerText)")
    assert cards == ["A simulated study", "boundary", "unbalanced", "slopes", "strata", "planning"]


def test_accessible(view):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    view.unfold()
    violations = axe.run(view.page).response["violations"]
    found = {v["id"]: [n["html"][:200] for n in v["nodes"]] for v in violations}
    assert {v["id"] for v in violations if v["impact"] in SERIOUS} == set(), found


def test_axe_would_find_what_is_wrong(show):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    view = show("index")
    view.run("document.querySelector('main').innerHTML += '<img src=\"data:,\">'")
    violations = axe.run(view.page).response["violations"]
    assert "image-alt" in {v["id"] for v in violations if v["impact"] in SERIOUS}


def test_hidden_tabs_are_accessible_when_shown(show, setting):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    view = show("balanced", *setting)
    view.unfold()
    for _ in range(3):
        view.run(
            """() => document.querySelectorAll('[role=tablist]').forEach(list =>
                 (list.querySelector('[aria-selected=true]').nextElementSibling
                  ?? list.firstElementChild).click())"""
        )
        violations = axe.run(view.page).response["violations"]
        assert [v["id"] for v in violations if v["impact"] in SERIOUS] == []


def test_keyboard_comes_to_the_skip_link_first(show):
    for name in PAGES:
        view = show(name, "phone")
        view.page.keyboard.press("Tab")
        assert view.focused == "Skip to content"
        box = view.page.locator(".skip").bounding_box()
        assert box["y"] >= 0
        view.page.keyboard.press("Enter")
        assert view.run("document.activeElement.id") == "content"


def test_tabs_by_keyboard(show):
    view = show("balanced")
    view.unfold()
    press = view.page.keyboard.press
    tabs = view.page.locator("[role=tablist]").first.locator("[role=tab]")
    names = tabs.all_inner_texts()
    assert names == ["Likelihood", "Fixed effects", "Tests of terms", "Intervals"]
    shown = "[...document.querySelectorAll('.tabset')[0].querySelectorAll('[role=tabpanel]')]"
    shown += ".map(p => p.getBoundingClientRect().height > 0)"
    assert view.run(shown) == [True, False, False, False]
    tabs.first.focus()
    for key, at in [
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowRight", 3),
        ("ArrowRight", 0),
        ("ArrowLeft", 3),
        ("Home", 0),
        ("End", 3),
        ("ArrowUp", 3),
    ]:
        press(key)
        assert view.focused == names[at]
        assert view.run(shown) == [k == at for k in range(4)]
        selected = [tab.get_attribute("aria-selected") for tab in tabs.all()]
        assert selected == ["true" if k == at else "false" for k in range(4)]
        # One stop for Tab in the whole list.
        assert [tab.get_attribute("tabindex") == "0" for tab in tabs.all()] == view.run(shown)
    press("Tab")
    assert view.run("document.activeElement.closest('[role=tabpanel]') !== null")


def test_what_scrolls_can_be_scrolled_by_keyboard(show):
    view = show("balanced", "phone")
    view.page.set_viewport_size({"width": 260, "height": 800})  # on a phone's they have room
    view.unfold()
    regions = view.page.locator(".table-scroll")
    assert regions.count() > 9
    moved = 0
    for region in regions.all():
        if not region.is_visible():
            continue
        assert region.get_attribute("aria-label")
        if region.evaluate("e => e.scrollWidth > e.clientWidth"):
            region.focus()
            view.page.keyboard.press("ArrowRight")
            view.page.wait_for_function("e => e.scrollLeft > 0", arg=region.element_handle())
            moved += 1
    assert moved > 2


def test_a_link_into_a_hidden_tab_shows_it(show):
    view = show("balanced")
    assert not view.page.locator("#tbl-coefficients").is_visible()
    view.run("location.hash = 'tbl-coefficients'")
    view.page.locator("#tbl-coefficients").wait_for(state="visible")


def test_a_link_into_a_folded_part_opens_it(show):
    view = show("balanced")
    assert not view.page.locator("#fig-influence").is_visible()
    view.run("location.hash = 'fig-influence'")
    view.page.locator("#fig-influence").wait_for(state="visible")


def test_contents_mark_where_one_is(show):
    view = show("balanced")
    marked = "[...document.querySelectorAll('.toc [aria-current]')].map(a => a.innerText)"
    assert view.run(marked) == []
    for heading, title in (("#sec-mixed", "Step 4"), ("#sec-one", "Step 1")):
        view.run("id => document.querySelector(id).scrollIntoView()", heading)
        view.page.wait_for_function(
            "title => document.querySelector('.toc [aria-current]')?.innerText.startsWith(title)",
            arg=title,
        )
        assert len(view.run(marked)) == 1


def test_the_answer_is_on_the_first_screen(show):
    view = show("balanced")
    for part in (".answer .callout", "#fig-means"):
        box = view.page.locator(part).first.bounding_box()
        assert box["y"] + box["height"] < 800, part


def test_contents_on_a_phone(show):
    view = show("balanced", "phone")
    contents, first = view.page.locator(".toc summary"), view.page.locator(".toc a").first
    assert not first.is_visible()
    contents.focus()
    view.page.keyboard.press("Enter")
    assert first.is_visible()
    view.page.locator(".toc a", has_text="Step 6").click()
    assert not first.is_visible()
    view.page.wait_for_function(
        "() => Math.abs(document.querySelector('#sec-implies').getBoundingClientRect().top) < 120"
    )


def test_contents_beside_the_text(show):
    view = show("balanced", "desktop")
    items = view.page.locator(".toc a")
    steps = [text for text in items.all_inner_texts() if text.startswith("Step")]
    assert [step[:6] for step in steps] == [f"Step {k}" for k in range(1, 7)]
    assert items.first.is_visible()
    right = view.page.locator(".toc").bounding_box()
    text = view.page.locator("main").bounding_box()
    assert right["x"] + right["width"] <= text["x"]


@pytest.mark.parametrize("name", PAGES)
def test_without_scripts(show, name):
    view = show(name, "phone", java_script_enabled=False)
    page = view.page
    for heading in page.locator("main h2").all():
        assert heading.is_visible()
    view.unfold()  # as a reader does, without any script
    tables = page.locator("main table:not(.live table)")  # those need scripts
    assert tables.count() == 0 or all(table.is_visible() for table in tables.all())
    if name != "index":
        titles = page.locator(".tab-title")
        assert titles.count() == page.locator(".tab-panel").count() > 4
        assert all(title.is_visible() for title in titles.all())
        assert page.locator(".toc a").first.is_visible()
    assert view.said == []


def test_its_own_policy_is_strict_and_kept(show, site):
    for name in PAGES:
        view = show(name)
        html = view.path.read_text("utf-8")
        (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        meta = "meta[http-equiv=Content-Security-Policy]"
        policy = view.page.locator(meta).get_attribute("content")
        assert set(policy.split("; ")) == {
            "default-src 'none'",
            "img-src data:",
            "style-src 'unsafe-inline'",  # tables have style attributes
            f"script-src 'sha256-{digest}'",
            "base-uri 'none'",
            "form-action 'none'",
        }
        # It comes before all that it governs.
        named = html.index("Content-Security-Policy")
        assert named < min(html.find(tag) % len(html) for tag in ("<style", "<script", "<img "))
        assert view.said == []


def test_what_gets_into_a_page_is_not_run(show):
    view = show("balanced")
    view.run(
        """() => {
             const script = document.createElement("script");
             script.textContent = "window.ran = 1";
             document.body.append(script);
             document.body.insertAdjacentHTML("beforeend", `<img src="data:," onerror="ran = 2">
               <a id="bad" href="javascript:window.ran=3">x</a>
               <iframe src="https://example.org"></iframe>`);
             document.getElementById("bad").click();
           }"""
    )
    view.page.wait_for_timeout(300)
    assert view.run("window.ran") is None
    assert sum("Content Security Policy" in text for text in view.said) >= 4, view.said
    assert not [url for url in view.requests if url.startswith("http")]


def test_a_servers_policy_does_not_break_it(chromium, site):
    """Served under a policy that allows this very script by its hash and nothing else."""
    html = (site / "balanced.html").read_text("utf-8")
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = "default-src 'none'; img-src data:; style-src data: 'unsafe-inline'; "
    policy += f"script-src 'sha256-{digest}'"
    page = chromium.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    headers = {"Content-Security-Policy": policy, "Content-Type": "text/html; charset=utf-8"}
    page.route("**/*", lambda route: route.fulfill(body=html, headers=headers))
    page.goto("http://site.invalid/balanced.html")
    assert said == []
    assert page.locator("[role=tab]").count() == page.locator(".tab-panel").count() > 4
    page.close()


def luminance(page, selector: str) -> SimpleNamespace:
    """How light a part of the page is, as it is seen: its paper, darkest, lightest, of 255."""
    from matplotlib.image import imread

    pixels = imread(io.BytesIO(page.locator(selector).first.screenshot()))[..., :3] * 255
    light = pixels @ [0.2126, 0.7152, 0.0722]
    return SimpleNamespace(
        paper=float(light[2, 2]), darkest=float(light.min()), lightest=float(light.max())
    )


@pytest.mark.parametrize("name", STUDIES)
def test_dark_is_dark_in_figures_too(show, name):
    pages = [show(name, scheme=scheme) for scheme in ("dark", "light")]
    for view in pages:
        view.unfold()
    night, day = (view.page for view in pages)
    for part in ("header", "#fig-data svg", "#fig-distributions svg", "#fig-covariance svg"):
        dark, light = luminance(night, part), luminance(day, part)
        assert dark.paper < 60, part
        assert light.paper > 200, part
        # And what is drawn can be told from the paper.
        assert dark.lightest > 180, part
        assert light.darkest < 80, part


@pytest.mark.parametrize("name", STUDIES)
def test_downloads_arrive_byte_for_byte(show, site, name, tmp_path):
    view = show(name, accept_downloads=True)
    folder = site.parent / "results" / name
    written = (folder / "report/tables").glob("*.csv")
    expected = {path.name: path for path in written if path.stat().st_size}
    expected |= {file: folder / "report" / file for file in ("report.qmd", "provenance.json")}
    arrived = set()
    links = view.page.locator("a[download]")
    for number in range(links.count()):
        if number % 8 == 0:  # Chromium asks before an eleventh download from one visit
            view.page.reload()
            view.unfold()
        with view.page.expect_download() as waiting:
            links.nth(number).click()
        download = waiting.value
        download.save_as(tmp_path / download.suggested_filename)
        arrived.add(download.suggested_filename)
    assert arrived == set(expected)
    for file, path in expected.items():
        assert (tmp_path / file).read_bytes() == path.read_bytes()


def test_index_is_a_grid_of_cards(show):
    view = show("index")
    cards = view.page.locator(".card")
    first, second = cards.nth(0).bounding_box(), cards.nth(1).bounding_box()
    assert first["y"] == second["y"]
    assert first["x"] < second["x"]
    # A card is one big link.
    cards.nth(1).click(position={"x": 20, "y": first["height"] - 10})
    view.page.wait_for_url("**/boundary.html")
    narrow = show("index", "phone").page.locator(".card")
    assert narrow.nth(0).bounding_box()["y"] < narrow.nth(1).bounding_box()["y"]


@pytest.mark.parametrize("name", [*STUDIES, "planning"])
def test_a_phone_has_room_for_text_figures_equations_and_results(show, name):
    view = show(name, "phone")
    size = view.run("parseFloat(getComputedStyle(document.querySelector('main p')).fontSize)")
    assert size >= 16
    # The words of figures as they are seen; figures need not be scrolled.
    sizes = view.run(
        """() => [...document.querySelectorAll("figure svg text")].map(
             text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)"""
    )
    assert min(size for size in sizes if size > 0) >= 8.5
    boxes = view.run("[...document.querySelectorAll('figure svg')].map(s => s.clientWidth)")
    assert max(boxes) <= WIDTHS["phone"]
    wide = "[...document.querySelectorAll('.display')].filter(e => e.scrollWidth > e.clientWidth)"
    assert view.run(f"{wide}.map(e => e.textContent)") == []


OF_ALL = ["coefficients", "tests", "contrasts", "anova", "effect-sizes", "strata", "sphericity"]
OF_ALL += ["standardised", "truth", "witnesses"]


@pytest.mark.parametrize(
    ("study", "label"), [*(("balanced", label) for label in OF_ALL), ("slopes", "random")]
)
def test_p_and_intervals_are_in_view_on_a_phone(show, study, label):
    view = show(study, "phone")
    view.run(f"location.hash = 'tbl-{label}'")
    table = view.page.locator(f"#tbl-{label}")
    table.wait_for(state="visible")
    ends = table.locator("th, td").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect().right)"
    )
    assert max(ends) <= WIDTHS["phone"]


def test_what_a_row_is_about_stays_in_view(show):
    view = show("balanced", "phone")
    region = view.page.locator("#tbl-anova .table-scroll")
    region.evaluate("e => { e.style.width = '10rem'; e.scrollTo(1000, 0); }")
    assert region.evaluate("e => e.scrollLeft") > 0
    first = region.locator("tbody td").first.bounding_box()
    assert first["x"] >= region.bounding_box()["x"]


@pytest.mark.parametrize("name", ["balanced", "planning"])
def test_prints_in_full_in_black_on_white(show, name):
    view = show(name, "desktop", "dark")
    view.run("document.querySelector('main').innerHTML += '<details><p>Folded.</p></details>'")
    view.page.emulate_media(media="print", color_scheme="dark")
    heights = "nodes => nodes.map(node => node.getBoundingClientRect().height)"
    hidden = view.page.locator(".tab-panel, .tab-title, details > p").evaluate_all(heights)
    assert len(hidden) > 16
    assert min(hidden) > 0
    assert not view.page.locator(".toc").is_visible()
    assert not view.page.locator("[role=tablist]").first.is_visible()
    for part in ("header", "figure svg"):
        seen = luminance(view.page, part)
        assert seen.paper > 240, part
        assert seen.darkest < 80, part
