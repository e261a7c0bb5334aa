"""Nothing but `text.confidence` says at which level intervals are and tests decide."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SAYS = re.compile(r"\b0\.95\b|\b0\.05\b|\b0?\.025\b|\b0?\.975\b|(?<![\d.,])9?5 ?%|\b1\.96\b")
# Conventions of their own.
OTHERS = {
    "text/confidence.py",
    *("figures/theme.py", "figures/parts.py", "figures/density.py"),  # margins
    "findings/of_replication/replicated.py",  # when failed experiments are many
    "figures/panels.py",  # Monte Carlo errors
    "figures/of_study/conditional_marginal.py",  # which subjects are drawn
    "figures/of_replication/power_curves.py",  # how far apart powers take panels
    "inference/variance_test.py",  # when other variances are clear enough for an approximation
}


def test_one_module_says_the_level():
    library = ROOT / "workflow/twolevel"
    paths = (path for path in library.rglob("*.py") if SAYS.search(path.read_text("utf-8")))
    assert {str(path.relative_to(library)) for path in paths} == OTHERS


def test_no_template_says_it():
    for path in (ROOT / "reports").rglob("*.qmd"):
        assert not SAYS.search(path.read_text("utf-8")), path
