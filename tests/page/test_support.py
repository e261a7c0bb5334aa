"""What lies beside a document, whichever program renders it."""

import base64
import hashlib
import re

import pytest
from support_files import BESIDE, SUPPORT, support

from twolevel.page.pandoc import render_with_pandoc
from twolevel.page.quarto import find_quarto, render_with_quarto
from twolevel.page.support import write_support


def by_quarto(source, page):
    executable = find_quarto()
    if executable is None:
        pytest.skip("quarto is not installed")
    render_with_quarto(source, page, executable=executable)


def test_style_and_script_lie_in_the_template(tmp_path):
    support(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(BESIDE)


@pytest.mark.parametrize("render", [render_with_pandoc, by_quarto])
def test_the_policy_allows_the_scripts_of_the_page_alone(tmp_path, render):
    parts = {
        "1.css": "a::before { content: '$title$ << x >> {{ }}' }",
        "1.js": "const said = `${1}$$` + '$body$'; // $-- << x >> <% &amp;",
        "2.js": "if (1 < 2 && said) document.title = 'é</p>';\n",
    }
    for name, text in parts.items():
        (tmp_path / name).write_text(text, "utf-8")
    own = [path for path in SUPPORT if path.suffix not in (".css", ".js")]
    source = tmp_path / "report" / "report.qmd"
    source.parent.mkdir()
    write_support([*own, *(tmp_path / name for name in parts)], source.parent)
    source.write_text("---\ntitle: Title\n---\n\nText.\n")
    render(source, tmp_path / "page.html")
    html = (tmp_path / "page.html").read_text("utf-8")
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert script == f"{parts['1.js']}\n{parts['2.js'].strip()}"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in html
    assert parts["1.css"] in html
