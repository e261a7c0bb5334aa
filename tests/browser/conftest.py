"""A small site, made once, and a browser to look at it."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_site import make
from views import WIDTHS, View

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Chromium, as the system brings it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        pytest.skip(f"there is none of {', '.join(NAMES)} on PATH")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the finished site, made once however many processes run the tests."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    project = base / "browser-project"
    with (base / "browser-project.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (project / "made").exists():
            make(project)
            (project / "made").touch()
    return project / "site"


@pytest.fixture
def show(chromium, site) -> Iterator[Callable[..., View]]:
    """Open a page of the site, in a context of its own."""
    contexts = []

    def show(name: str, device: str = "desktop", scheme: str = "light", **more) -> View:
        size = {"width": WIDTHS[device], "height": 800}
        context = chromium.new_context(viewport=size, color_scheme=scheme, **more)
        contexts.append(context)
        return View(context.new_page(), site / f"{name}.html")

    yield show
    for context in contexts:
        context.close()
