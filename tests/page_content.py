"""Look into a finished page without a browser."""

import base64
import re
from html.parser import HTMLParser
from urllib.parse import unquote

_LOADING = {"src", "href", "xlink:href", "srcset", "poster", "data", "action", "background"}
_CSS = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""")
_DATA = re.compile(r"data:(image/svg\+xml|text/css)[^,]*?(;base64)?,(.*)", re.DOTALL)
_RELATIVE_PAGE = re.compile(r"(?!//)[^:?]+\.html(#.*)?")


def external_references(html: str) -> list[str]:
    """Return what the page refers to outside itself, other pages of the same site excepted.

    Every `src`, `href`, `url()` and `@import` is walked, also in the style sheets and the SVG
    images that the page carries as `data:` URIs.
    """
    walker = _Walker()
    walker.feed(html)
    walker.close()
    return [reference for reference in walker.found if not _RELATIVE_PAGE.fullmatch(reference)]


def elements(html: str) -> list[object]:
    """What a page consists of, however it is written down: tags with attributes, and text."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[object] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.found += data.split()


class _Walker(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.in_style = tag == "style"
        for name, value in attrs:
            if name == "srcset":
                for part in (value or "").split(", "):  # a data: URI has a comma, but no space
                    self.see(part.strip().split(" ")[0])
            elif name in _LOADING:
                self.see(value or "")
            elif name == "style":
                self.see_css(value or "")
            elif name == "content" and (target := re.search(r"url=(\S+)", value or "", re.I)):
                self.see(target[1])

    def handle_endtag(self, tag: str) -> None:
        self.in_style = False

    def handle_data(self, data: str) -> None:
        if self.in_style:
            self.see_css(data)

    def see_css(self, css: str) -> None:
        for url, imported in _CSS.findall(css):
            self.see(url or imported)

    def see(self, reference: str) -> None:
        reference = reference.strip()
        if carried := _DATA.match(reference):
            kind, encoded, text = carried.groups()
            inner = base64.b64decode(text).decode() if encoded else unquote(text)
            if kind == "text/css":
                self.see_css(inner)
            else:
                self.found += external_references(inner)
        elif reference and not reference.startswith(("data:", "#")):
            self.found.append(reference)
