"""Print a page to PDF by Chromium or a browser made of it."""

import os
import re
import shutil
from pathlib import Path

from twolevel.page.rendering import RenderError, run

BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_TIME = re.compile(rb"(/(?:Creation|Mod)Date \(D:)\d{14}")


def print_page(page: Path, output: Path, data: Path, timeout: float) -> None:
    """Print a page as its style sheet has it for paper; `data` is a folder for the browser.

    Raises:
        RenderError: there is no such browser, it fails, or is not done after `timeout` seconds.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise RenderError(
            f"{output.name}: found neither Quarto, which sets PDF, nor a browser that prints it; "
            "install Quarto (https://quarto.org) or Chromium (as by apt-get install chromium), or "
            'leave "pdf" out of "report: {formats: ...}" in the config'
        )
    done = run(
        [
            browser,
            "--headless",
            # Which root cannot have. The page loads nothing and runs no script but its own.
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            f"--user-data-dir={data / 'browser'}",
            "--no-pdf-header-footer",
            f"--print-to-pdf={output}",
            page.as_uri(),
        ],
        timeout=timeout,
    )
    if done.status != 0 or not output.is_file():
        raise RenderError(f"{browser} failed (exit status {done.status}):\n{done.said}")
    # The time of printing, which browsers put there, is no part of the document.
    output.write_bytes(_TIME.sub(rb"\g<1>19800101000000", output.read_bytes()))
