"""Each figure is in one registry and one module, and in no list kept in step by hand."""

from importlib import import_module
from pathlib import Path

import pytest
from example_summaries import mixed, term

from twolevel import figures
from twolevel.figures.groups import MOST_GROUPS, drawn_by
from twolevel.figures.of_study.condition_means import LOOKS
from twolevel.figures.registry import OF_STUDY
from twolevel.figures.replication_registry import OF_REPLICATION

REGISTRIES = {"of_study": OF_STUDY, "of_replication": OF_REPLICATION}


@pytest.mark.parametrize("of", REGISTRIES)
def test_every_figure_has_a_module_that_draws_it_and_every_module_a_figure(of):
    folder = Path(figures.__file__).parent / of
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(REGISTRIES[of])
    for name in REGISTRIES[of]:
        assert callable(import_module(f"twolevel.figures.{of}.{name}").draw)


def test_every_figure_of_a_replication_study_has_words_and_a_label_of_its_own():
    labels = [figure.label for figure in OF_REPLICATION.values()]
    assert len(set(labels)) == len(labels)
    for figure in OF_REPLICATION.values():
        assert figure.label.startswith("fig-")
        assert figure.caption.endswith(".")
        assert figure.alt.endswith(".")


@pytest.mark.parametrize(("p", "drawn"), [(0.001, "group"), (0.9, "sex")])
def test_means_are_drawn_within_the_factor_that_the_condition_interacts_with(p, drawn):
    level = dict.fromkeys(("estimate", "se", "df", "t", "p", "ci_low", "ci_high"), 1.0)
    each = {"term": None, "means": [{"level": k, **level} for k in "ab"], "contrasts": []}
    each["within"] = {"means": [], "contrasts": [], "slopes": None}
    factors = [each | {"factor": "sex"}, each | {"factor": "group"}]
    terms = {"time:sex": ["time", "sex"], "time:group": ["time", "group"]}
    tests = [term("time:sex", 0.5), term("time:group", p)]
    found = drawn_by(mixed(factors=factors, terms=terms, anova=tests), "time")
    assert found is not None
    assert found[0] == drawn


def test_there_are_looks_for_all_groups_of_the_figure_of_means():
    assert len(LOOKS) == MOST_GROUPS
