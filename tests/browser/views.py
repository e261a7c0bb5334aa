"""A page in a browser, wide or narrow."""

from pathlib import Path

WIDTHS = {"desktop": 1280, "phone": 390}


class View:
    """A page in a browser, with all that it said and asked for."""

    def __init__(self, page, path: Path) -> None:
        self.page, self.path = page, path
        self.said: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(path.as_uri())

    def run(self, script: str, *arguments):
        """Evaluate JavaScript in the page."""
        return self.page.evaluate(script, *arguments)

    def unfold(self) -> None:
        """Open all that the page folds."""
        self.run("document.querySelectorAll('details').forEach(part => { part.open = true; })")

    @property
    def focused(self) -> str:
        """The text of the element that has the focus."""
        return self.run("document.activeElement.innerText")
