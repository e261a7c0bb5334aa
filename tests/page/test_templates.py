"""Templates filled: text stays text through Pandoc, and numbers keep their digits."""

import html
import math
import re
import string
import subprocess
import unicodedata
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import jinja2
import pypandoc
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from twolevel.page.templates import fill
from twolevel.text.markdown import (
    Markdown,
    attribute,
    code,
    counted,
    escape,
    in_html,
    num,
    p_value,
    quoted,
    tex,
    words,
)

FORMAT = "markdown-table_attributes"
NASTY = [
    "<script>alert(1)</script>",
    "$x$ and $$y$$",
    "{{7*7}} {% x %} << x >> <# c #>",
    "{{< include /etc/passwd >}}",
    "a | b || c",
    "@fig-x and [@tbl-y] and -@eq-z",
    "[x](y) ![x](y.png) [x]{.download}",
    ":::",
    "::: {.callout-note}",
    "# heading",
    "+ item",
    "1. item",
    "(@) item",
    "> quote",
    "    indented",
    "```{r}",
    "`code` and ``more``",
    "ends in ` and \\",
    "\\alpha \\\\ \\",
    "*a* _b_ ~c~ ^d^ ~~e~~",
    "\"quoted\" and 'single' -- --- ...",
    "&amp; &lt; &#65; & <!-- c -->",
    "---",
    "===",
    "|---|",
    "| a |",
    ": Caption {#tbl-x}",
    "{#fig-x .class key=val}",
    "text {.unnumbered}",
    "^[note] [^1]",
    "[^1]: note",
    "https://example.org mailto:a@example.org <https://example.org>",
    "Mr. Smith, e.g. that",
    "Größe µ−σ² 条件 \U0001f600 é e\u0301 \u202eא",
    "".join(map(chr, [0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])),
    "a\u00a0b\u2028c\td\ne\r\nf\x00g\x1bh",
    "\ufeff0",
    "-",
    "0",
]
TEXT = st.text(st.characters(codec="utf-8"), max_size=30) | st.text(string.punctuation + " a\n")
MANY = st.lists(TEXT | st.sampled_from(NASTY), min_size=20, max_size=60)


class Cells(HTMLParser):
    """Texts, classes and attributes in a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        self.found.append((tag, dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        """Add to the text of the element that was begun last."""
        if self.found:
            tag, attrs, text = self.found[-1]
            self.found[-1] = (tag, attrs, text + data)


def pandoc(text: str, *arguments: str) -> list[tuple[str, dict[str, str | None], str]]:
    """Read Markdown as the project does; give the page's elements."""
    command = [pypandoc.get_pandoc_path(), f"--from={FORMAT}", "--to=html5", "--wrap=none"]
    done = subprocess.run(
        [*command, *arguments], input=text.encode(), capture_output=True, check=True
    )
    assert done.stderr == b""
    return Cells(done.stdout.decode()).found


def turns(mark: str) -> bool:
    """Whether a character has no shape and turns the direction, by its name in Unicode."""
    words = r"LEFT-TO-RIGHT|RIGHT-TO-LEFT|DIRECTIONAL|STRONG ISOLATE|ARABIC LETTER MARK"
    return unicodedata.category(mark) == "Cf" and bool(re.search(words, unicodedata.name(mark, "")))


def plain(text: str) -> str:
    """Text as a page shows it: one kind of blank, and none of the characters a page cannot hold.

    Those that turn the direction of what follows are shown by their numbers; word joiners are not
    seen.
    """
    text = text.replace("\u2060", "")
    text = "".join(f"\\u{ord(m):04x}" if turns(m) else m for m in text)
    kept = (" " if m < " " or "\x7f" <= m < "\xa0" or m == "\u00a0" else m for m in text)
    return " ".join("".join(kept).split())


def texts(cells: list, tag: str) -> list[str]:
    """The texts of the elements of a kind, which may hold no others."""
    return [plain(text) for found, _, text in cells if found == tag]


def test_format_is_the_projects_own():
    source = (Path(__file__).parents[2] / "workflow/twolevel/page/pandoc.py").read_text("utf-8")
    assert f'"--from={FORMAT}"' in source


fast = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@fast
@example(NASTY)
@given(MANY)
def test_text_stays_text(values):
    # As paragraphs, items, cells and headings, at the start of a line and in the middle.
    expected = [plain(value) for value in values]
    shown = [escape(value) for value in values]
    cells = pandoc("\n\n".join(f"x{text}y" for text in shown))
    assert texts(cells, "p") == [plain(f"x{text}y") for text in expected]
    cells = pandoc("\n\n".join(["a", *(f"{text} z" for text in shown)]))
    assert texts(cells, "p") == ["a", *(plain(f"{text} z") for text in expected)]
    cells = pandoc("| a | b |\n|:--|--:|\n" + "".join(f"| {text} | 1 |\n" for text in shown))
    assert texts(cells, "td")[::2] == expected
    assert texts(cells, "td")[1::2] == ["1"] * len(values)
    kinds = {tag for tag, _, _ in cells}
    assert kinds <= {"table", "colgroup", "col", "thead", "tbody", "tr", "th", "td"}


@fast
@example(NASTY)
@given(MANY)
def test_attributes_stay_text(values):
    images = "\n\n".join(f'![](x.svg){{k="{attribute(value)}"}}' for value in values)
    cells = pandoc(images)
    assert {tag for tag, _, _ in cells} == {"p", "img"}
    found = [plain(a["data-k"] or "") for tag, a, _ in cells if tag == "img"]
    assert found == [plain(value) for value in values]


@fast
@example(NASTY)
@given(MANY)
def test_code_stays_text(values):
    given_ = [value for value in values if plain(value)]
    cells = pandoc("\n\n".join(f"z {code(value)}" for value in given_))
    assert {tag for tag, _, _ in cells} <= {"p", "code"}
    assert texts(cells, "code") == [plain(value) for value in given_]


def test_no_shortcode_is_left_to_quarto():
    for write in (escape, attribute, code, quoted):
        assert "{{<" not in write("{{< include /etc/passwd >}} {{{< x >}}}")


@fast
@example(NASTY)
@given(MANY)
def test_titles_stay_text(values):
    values = [value for value in values if plain(value)]
    front = "".join(f"k{i}: {quoted(value)}\n" for i, value in enumerate(values))
    template = "".join(f"<b>$k{i}$</b>\n" for i in range(len(values)))
    with TemporaryDirectory() as folder:
        path = Path(folder, "template.html")
        path.write_text(template, "utf-8")
        cells = pandoc(f"---\ntitle: t\n{front}---\n", "--standalone", f"--template={path}")
    assert texts(cells, "b") == [plain(value) for value in values]


FINITE = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)


def shown(text: str) -> Decimal:
    """The number that a reader sees."""
    digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    mantissa, _, power = text.replace("−", "-").partition(" × 10")
    return Decimal(mantissa).scaleb(int(power.translate(digits) or 0))


@settings(max_examples=500)
@example(9.99996, 4)
@example(-0.99996, 4)
@example(99999.6, 5)
@example(9.99996e-5, 4)
@example(9999999.6, 4)
@example(1e-4, 4)
@example(0.5, 1)
@given(FINITE, st.integers(1, 8))
def test_numbers_keep_their_digits(value, digits):
    text = num(value, digits)
    assert isinstance(text, Markdown)
    exact = Decimal(value)
    if value == 0:
        assert text == "0"
        return
    # Half a unit of the last digit asked for, whatever the size.
    unit = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    assert abs(shown(text) - exact) <= unit / 2
    assert text.startswith("−") == (value < 0)
    assert "e" not in text
    assert "-" not in text
    figures = text.partition(" × ")[0].lstrip("−").replace(".", "").lstrip("0")
    assert len(figures) == digits or ("." not in text and len(figures) > digits)


@settings(max_examples=300)
@given(FINITE, st.integers(1, 8))
def test_mathematics_shows_the_same_digits(value, digits):
    text = tex(value, digits).replace("{-", "-", 1) if value < 0 else tex(value, digits)
    plain_text = text.replace(r" \times 10^{", "e").replace("}", "").replace("{", "")
    assert Decimal(plain_text) == shown(num(value, digits))


@pytest.mark.parametrize(
    ("value", "text", "mathematics"),
    [
        (0, "0", "0"),
        (-0.0, "0", "0"),
        (1, "1.000", "1.000"),
        (-2.5, "−2.500", "{-2.500}"),
        (1234567, "1234567", "1234567"),
        (12345678, "1.235 × 10⁷", r"1.235 \times 10^{7}"),
        (-1.5e-7, "−1.500 × 10⁻⁷", r"{-1.500} \times 10^{-7}"),
        (0.0001, "0.0001000", "0.0001000"),
        (9.99996, "10.00", "10.00"),
        (None, "–", r"\text{–}"),
        (math.nan, "–", r"\text{–}"),
        (math.inf, "∞", r"\infty"),
        (-math.inf, "−∞", r"-\infty"),
    ],
)
def test_numbers(value, text, mathematics):
    assert num(value) == text
    assert tex(value) == mathematics


def test_every_number_is_mathematics_to_pandoc():
    values = [0, 1, -2.5, 1e9, -1e-9, None, math.nan, math.inf, -math.inf]
    cells = pandoc("\n\n".join(f"$a,\\, {tex(value)}$" for value in values), "--mathml")
    assert len([tag for tag, _, _ in cells if tag == "math"]) == len(values)


@given(st.floats(0, 1))
def test_p_values(value):
    text = p_value(value)
    if value < 1e-3 or value > 0.999:
        assert text == (r"\< .001" if value < 1e-3 else r"\> .999")
    else:
        assert text.startswith("= .")
        assert len(text) == len("= .123")
        assert abs(Decimal(text[2:]) - Decimal(value)) <= Decimal("0.0005")


def test_p_values_that_are_none():
    assert p_value(None) == p_value(math.nan) == "–"
    assert texts(pandoc(f"p {p_value(0)}"), "p") == ["p < .001"]


def test_counted():
    assert counted(1, "subject") == "1 subject"
    assert counted(0, "subject") == "0 subjects"
    assert counted(10000, "residual degree") == "10,000 residual degrees"


def test_words():
    assert words([]) == ""
    assert words(["a"]) == "a"
    assert words(["a", "b"]) == "a and b"
    assert words(["a*", "b", 3]) == r"a\*, b and 3"
    assert words([Markdown("*a*"), "b"]) == "*a* and b"


def test_fill(tmp_path):
    template = tmp_path / "t.qmd"
    template.write_text(
        "<# a comment #>\n"
        "<% if x %>\n"
        "{{< x >}} {% y %} << x >> << x | md >> << 2.5 | num >>\n"
        "<% endif %>\n"
        "<< x | code >> << 1 | counted('thing') >> <% if x %>yes<% endif +%>\n"
    )
    text = fill(template, {"x": "*a*"})
    assert text == "{{< x >}} {% y %} \\*a\\* *a* 2.500\n`*a*` 1 thing yes\n"


def test_a_name_that_the_context_lacks_is_an_error(tmp_path):
    template = tmp_path / "t.qmd"
    template.write_text("<< missing >>")
    with pytest.raises(jinja2.UndefinedError, match="missing"):
        fill(template, {})


def test_values_are_never_run_as_templates(tmp_path):
    template = tmp_path / "t.qmd"
    template.write_text("<< x | md >>")
    assert fill(template, {"x": "<< 7*7 >>"}) == "<< 7*7 >>"


@pytest.mark.parametrize("write", [quoted, attribute, code, in_html])
def test_no_title_attribute_or_code_holds_a_shortcode(write):
    # Seen with Quarto 1.9.38: it runs what stands there, although every sign is escaped.
    text = write("{{< include /etc/passwd >}}").replace("\\", "")
    assert "{{<" not in text
    assert ">}}" not in text


def test_no_word_of_a_caption_begins_with_a_brace():
    # Seen with Quarto 1.9.38: it cuts a table's caption there, although every sign is escaped.
    assert not re.search(r"(^|\s)\\?\{", escape("{a} b {c} d{e}"))


@given(st.text())
def test_text_in_raw_html_is_shown_literally_on_one_line(text):
    seen = []
    parser = HTMLParser()
    parser.handle_data = seen.append
    parser.feed(f"<p>{in_html(text)}</p>")
    parser.close()
    assert "".join(seen) == html.unescape(in_html(text))
    assert not set(in_html(text)) & set("<>\"'\n")
    assert in_html("<a>&") == "&lt;a&gt;&amp;"


def test_quarto_leaves_tables_in_raw_html_as_they_are():
    # Seen with Quarto 1.9.38: it makes them its own, without the classes and places that they had.
    reports = Path(__file__).parents[2] / "reports"
    tables = re.findall(
        "<table[^>]*>", "".join(p.read_text("utf-8") for p in reports.rglob("*.qmd"))
    )
    assert tables
    assert all('data-quarto-disable-processing="true"' in each for each in tables)
