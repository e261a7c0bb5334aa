"""Text, tables and code that a page offers to copy, in a real browser."""

import pytest
from support_files import support

from twolevel.page.pandoc import render_with_pandoc

DOCUMENT = """---
title: To copy
---

::: {.copy}
The effect was clear, *F*(1, 18) = 2.90.

A second paragraph,
in two lines.
:::

::: {.copy}
| group | *M* |
|:---|---:|
| a | 1.50 |
| b |  |

: Means. {#tbl-means}
:::

::: {.copy}
```r
x <- 1
y <- "<b>"
```
:::
"""


@pytest.fixture
def page(chromium, tmp_path):
    """A page with something of each kind, which may use the clipboard."""
    (tmp_path / "copy.qmd").write_text(DOCUMENT, "utf-8")
    support(tmp_path)
    render_with_pandoc(tmp_path / "copy.qmd", tmp_path / "copy.html")
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto((tmp_path / "copy.html").as_uri())
    yield page
    context.close()


def test_what_is_copied_is_what_stands_there(page):
    expected = {
        "Copy text": "The effect was clear, F(1, 18) = 2.90.\n\nA second paragraph, in two lines.",
        "Copy table": "group\tM\na\t1.50\nb\t",
        "Copy code": 'x <- 1\ny <- "<b>"',
    }
    for name, text in expected.items():
        button = page.get_by_role("button", name=name)
        button.focus()
        page.keyboard.press("Enter")
        status = button.locator("xpath=../*[@role='status']")
        status.filter(has_text="Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()").rstrip("\n") == text


def test_a_word_processor_gets_italics_and_tables(page):
    html = "navigator.clipboard.read().then(([item]) => item.getType('text/html'))"
    for name, inside in (("Copy text", "<em>F</em>(1,&nbsp;18)"), ("Copy table", "<td")):
        page.get_by_role("button", name=name).click()
        page.get_by_text("Copied").last.wait_for()
        copied = page.evaluate(f"{html}.then((blob) => blob.text())")
        assert inside in copied
        assert "<button" not in copied


def test_without_a_clipboard_the_text_is_selected(page):
    page.evaluate("() => { navigator.clipboard.write = () => Promise.reject(Error()); }")
    page.get_by_role("button", name="Copy code").click()
    page.get_by_text("Selected").wait_for()
    assert page.evaluate("getSelection().toString()").startswith("x <- 1")


def test_without_script_the_text_is_simply_there(chromium, page):
    context = chromium.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(page.url)
    assert plain.get_by_text("The effect was clear").is_visible()
    assert plain.locator("button").count() == 0
    context.close()
