"""A page by Quarto in a real browser: what its own styles would do, they do not."""

import shutil
from pathlib import Path

import pytest
from support_files import support

from twolevel.page.quarto import find_quarto, render_with_quarto

SAMPLE = Path(__file__).parents[1] / "page" / "sample"
WIDE = r"""
## Wide

::: {.panel-tabset}
## First

| ROW |
| RULE |
| ROW |

## Second

Text.
:::

```yaml
key: value # a comment
```

```{=html}
<table data-quarto-disable-processing="true"><tr><td><b data-is="raw">1</b></td></tr></table>
```

$$
y_{ij} = \mu_i + \alpha_j + \eta_{ij}, \qquad \text{on a great many degrees of freedom in one line}
$$ {#eq-wide}

$$
y_{ij} = \mu_i + \alpha_j + \eta_{ij}, \qquad \text{on a great many degrees of freedom in one line}
$$
""".replace("ROW", " | ".join(["a_long_heading"] * 12)).replace("RULE", " | ".join(["--:"] * 12))


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    executable = find_quarto()
    if executable is None:
        pytest.skip("quarto is not installed")
    folder = tmp_path_factory.mktemp("quarto")
    shutil.copytree(SAMPLE, folder / "report")
    support(folder / "report")
    with (folder / "report" / "sample.qmd").open("a") as source:
        source.write(WIDE)
    render_with_quarto(
        folder / "report" / "sample.qmd", folder / "sample.html", executable=executable
    )
    return folder / "sample.html"


@pytest.mark.parametrize("width", [1200, 390, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_by_quarto_is_sound(chromium, path, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    said, requests = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("[role=tab]").count() == 5
    # A table of the page's own program keeps the places that this fills.
    assert page.locator("td b[data-is]").count() == 1
    assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]
    assert said == []
    violations = axe.run(page).response["violations"]
    assert [v["id"] for v in violations if v["impact"] in ("serious", "critical")] == []
    page.close()
