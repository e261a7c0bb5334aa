"""The report of a replication study: its numbers are the measures', whatever the grid."""

import importlib
import json
import math
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from twolevel.figures.replication_registry import OF_REPLICATION
from twolevel.files.stage_files import read_parquet
from twolevel.page.templates import fill
from twolevel.pipeline.config.replication_study import Replication
from twolevel.pipeline.slices import AXES, grid_points, plan
from twolevel.text.markdown import Markdown, plus_minus

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))
STUDY = {
    "subjects": [4, 30],
    "conditions": {"a": 0, "b": 1, "c": 3},
    "grand_mean": 5,
    "sigma_between": [0.0, 1.0],
    "sigma_within": 1,
    "missing": [0.0, 0.2],
    "experiments": 60,
}
HOSTILE = {"*a*|b": 0, "$x$ [l](u)": 1, "# <b> ::: `c`": 2, "{{< include /etc/passwd >}}": 3}
CASES = {
    "grid": STUDY,
    "point": {**STUDY, "subjects": 5, "sigma_between": 1.0, "missing": 0.0},
    "incomplete": {**STUDY, "subjects": 5, "sigma_between": 1.0, "missing": 0.3},
    "nothing": {**STUDY, "conditions": {"a": 1, "b": 1}, "subjects": 6},
    "hopeless": {**STUDY, "conditions": {"a": 0, "b": 1e-6}, "sigma_between": 0.5},
    "failing": {**STUDY, "subjects": 2, "missing": 0.7, "experiments": 40},
    "satterthwaite": {**STUDY, "test": "satterthwaite"},
    "anova": {**STUDY, "test": "anova", "unit": "|m|^2"},
    "anova_missing": {**STUDY, "test": "anova", "missing": 0.1},
    "nothing_fitted": {
        **STUDY,
        **{"subjects": 3, "sigma_between": 1.0, "missing": 0.95, "power": 0.8},
        "experiments": 40,
    },
    "two": {**STUDY, "experiments": 2},
    "two_subjects": {**STUDY, "subjects": 2, "missing": 0.3, "experiments": 40},
    "awkward": {**STUDY, "conditions": HOSTILE, "title": "*A* | <b>title</b> $x$ {{< x >}}"},
    "twenty": {**STUDY, "conditions": {f"c{j}": j for j in range(20)}, "experiments": 20},
    "groups": {
        **STUDY,
        "subjects": [9, 12],
        "sigma_between": 1.0,
        "missing": 0.0,
        "groups": {"u": {"size": 1}, "*v*": {"size": 2, "conditions": {"a": 0, "b": 2, "c": 3}}},
        "covariates": {"age": {"sd": 2, "slope": 0.1}},
        "adjust": "holm",
        "precision": 1.5,
        "cost": {"subject": 30, "trial": 0.5},
    },
    "two factors": {
        **STUDY,
        "conditions": {"f": {"x": 0, "y": 1}, "g": {"u": 0, "v": 1}},
        "interactions": {"f:g": {"y:v": 1}},
        "subjects": 6,
        "sigma_between": 1.0,
        "missing": 0.0,
        "replicates": [1, 2],
        "strata": {"f": 0.5, "g": 0.2},
        "cost": {"subject": 30, "trial": 0.5},
    },
    "leaving": {
        **STUDY,
        "conditions": {"day": [0, 1, 3]},
        "slope": 0.5,
        "random": {"intercept": 1, "day": 0.4},
        "sigma_between": None,
        "subjects": [8],
        "missing": 0.1,
        "dropout": {"1": 0.1, "3": 0.3},
        "precision": 0.7,
        "cost": {"subject": 30, "trial": 0.5},
        "experiments": 40,
    },
    "planner": {
        "conditions": ["a", "b", "c"],
        "effect": {"d": 0.8},
        "icc": 0.5,
        "subjects": [10, 20],
        "alpha": 0.01,
        "power": 0.9,
        "precision": 0.7,
        "cost": {"subject": 30, "trial": 0.5},
        "experiments": 40,
    },
    "large": {**STUDY, "grand_mean": 5e9, "sigma_between": 2e8, "sigma_within": 1e8},
}


class Named(dict):
    __getattr__ = dict.__getitem__


def job(name, inputs, outputs, **params):
    """Run a rule's script here and now."""
    where = Named(replication="case")
    parts = {"input": Named(inputs), "output": Named(outputs), "params": Named(params)}
    return importlib.import_module(name).main(SimpleNamespace(**parts, wildcards=where))


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory):
    """The document of a case, with the measures and the summary it is made of."""
    folder = tmp_path_factory.mktemp(request.param)
    config = Replication(**CASES[request.param]).model_dump()
    study = Replication(**CASES[request.param])
    parameters = study.parameters
    points = grid_points(study.axes)
    sums = []
    for part in plan(points, config["experiments"], [], 3):
        path = folder / f"{part.path}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        like = {"design": [], "mixed": []}
        job("replicate", like, {"sums": str(path)}, replication=parameters)
        sums.append(str(path))
    names = {"replication": "replication.json", "measures": "measures.parquet"}
    names |= {"distributions": "distributions.parquet", "table": "measures.csv"}
    made = {key: str(folder / name) for key, name in names.items()}
    job(
        "measure_performance",
        {"sums": sums, "design": [], "mixed": []},
        made,
        replication=parameters,
        points=points,
        experiments=config["experiments"],
        powers=config["power"],
    )
    made["subjects"] = str(folder / "subjects.json")
    job(
        "find_subjects",
        {"design": [], "mixed": []},
        {"subjects": made["subjects"]},
        replication=parameters,
        designs=grid_points([None, *study.axes[1:]]),
        asked=study.asked,
    )
    writer = importlib.import_module("write_replication_report")
    snakemake = SimpleNamespace(
        input=Named(made | {"tables": [made["table"]]}),
        params=Named(replication=config, by_icc=study.icc is not None, like=None),
        wildcards=Named(replication="case"),
    )
    text = fill(ROOT / "reports/replication.qmd", writer.context(snakemake))
    return SimpleNamespace(
        name=request.param,
        text=text,
        measures=read_parquet(made["measures"]),
        summary=json.loads(Path(made["replication"]).read_text("utf-8")),
        plan=json.loads(Path(made["subjects"]).read_text("utf-8")),
        csv=pd.read_csv(made["table"]),
    )


def tables(text):
    """All pipe tables, as lists of rows of cells."""
    found = re.findall(r"(?:^\|.*\|\n)+", text, re.M)
    return [[re.split(r"(?<!\\)\|", row)[1:-1] for row in table.splitlines()] for table in found]


def test_everything_is_filled_in(case):
    assert not re.search(r"\b(None|nan|NaN|Undefined|inf|True|False|null)\b", case.text)
    for left in ("<<", ">>", "<%", "%>"):
        assert left not in case.text


def test_tables_have_a_cell_for_every_column(case):
    for table in tables(case.text):
        assert len({len(row) for row in table}) == 1
        assert all(set(cell) <= set(":-") for cell in table[1])
        assert len(table) > 2


def test_power_and_type_one_errors_are_the_measures(case):
    blocks = dict(re.findall(r"((?:^\|.*\|\n)+)\n: .*?\{#(tbl-[a-z-]+)\}", case.text, re.M))
    named = {name: tables(table)[0] for table, name in blocks.items()}
    places = case.measures[list(AXES)].drop_duplicates().itertuples(index=False)
    varied = sum(len(case.summary["axes"][axis]) > 1 for axis in AXES[1:])
    for k, place in enumerate(places):
        here = case.measures[(case.measures[list(AXES)] == list(place)).all(axis=1)]
        for name, measure in (("tbl-powers", "power"), ("tbl-type-one", "type_one_error")):
            found = here[(here["measure"] == measure) & (here["quantity"] == "condition")]
            cells = named[name][2 + k]
            assert int(cells[0]) == place.subjects
            for cell, row in zip(cells[1 + varied :], found.itertuples(), strict=False):
                expected = (
                    "–" if math.isnan(row.value) else plus_minus(100 * row.value, 196 * row.mcse)
                )
                assert cell.strip() == expected


def test_the_answer_comes_first(case):
    """The exact number where there is one, and beside it what simulation finds."""
    head = case.text.split("## ")[0]
    rows = [row for row in case.plan["rows"] if row["sizes"]]
    if case.name == "nothing":
        assert rows == []
        assert "nothing to find" in head
        return
    if case.name == "two factors":  # too many effects and designs for a sentence each
        told = r"80 % in the test of (\S+) you need from .*; for 90 %, .* \(@tbl-sizes\)"
        assert re.findall(told, head) == ["f", "g", r"f\:g"]
        return
    for row in rows:
        first = row["sizes"][0]
        number = first["subjects"] if first["exact"] is None else first["exact"]
        goal = f"for a power of {100 * first['power']:.0f} %"
        if first["experiments"] == 0:
            assert f"{100 * row['missing']:g} % of cells missing, you need" not in head
        elif number is None:
            assert f"need **more than 100,000 subjects** {goal}" in head
        else:
            assert f"need **{number:,} subjects** {goal}" in head


def test_the_effect_is_told_in_the_words_of_planners(case):
    if case.name == "planner":
        (row,) = case.plan["rows"]
        assert row["icc"] == pytest.approx(0.5)
        assert row["effect"]["d"] == pytest.approx(0.8)
        (table,) = (t for t in tables(case.text) if "$d$" in "".join(t[0]))
        assert [cell.strip() for cell in table[2]] == [
            *(r"0\.5", "0.707", "0.707", "1.00", "0.800", "0.800", "0.327", "0.0964"),
        ]
        assert "At 30 for a subject and 0.5 for each of its observations" in case.text
        assert "99 % interval of a difference of two conditions" in case.text


def test_the_spread_between_subjects_has_the_word_of_the_config(case):
    if case.name == "planner":
        assert r"| ICC, $\sigma_b^2/(\sigma_b^2 + \sigma_w^2)$ | 0\.5 |" in case.text
    if case.name == "grid":
        assert r"| $\sigma_b$ | 0, 1 |" in case.text
        assert r"| n | $\sigma_b$ | missing | bias | empirical SE | RMSE |" in case.text
        assert "an ICC of" not in case.text


def test_what_is_below_the_answer_is_folded_under_its_result(case):
    depth = case.text.split("## Aims and design")[1].split("## Downloads")[0]
    parts = re.split(r"^#{2,3} .+ \{#sec-.+\}$", depth, flags=re.M)
    (unfolded,) = (part for part in parts if 'collapse="true"' not in part)
    assert unfolded.strip().startswith("What follows is the depth")


def test_every_figure_is_shown(case):
    shown = re.findall(
        r"^!\[.+\]\(figures/(\w+)\.svg\)\{#fig-.+ fig-alt=\".+\"\}$", case.text, re.M
    )
    assert set(OF_REPLICATION) - set(shown) == (
        ({"power_curves"} if case.name == "nothing" else set())
        | (set() if case.summary["plain"] else {"two_stage_bias"})
    )
    assert len(shown) == len(set(shown))


def test_text_is_text(case):
    if case.name == "awkward":
        assert r"\*a\*\|b" in case.text
        assert "### Effect of \\*a\\*\\|b" in case.text
        assert "<b>" not in case.text.split("```")[0]
        assert "{{<" not in case.text


def test_the_download_is_the_measures(case):
    pd.testing.assert_frame_equal(
        case.csv.fillna({"method": ""}), case.measures, check_dtype=False, rtol=1e-15
    )


@pytest.mark.parametrize(
    ("value", "half", "words"),
    [
        (0.123456, 0.0123, "0.123 ±\u00a00.012"),
        (-0.123456, 0.0123, "−0.123 ±\u00a00.012"),
        (-0.0001, 0.012, "0.000 ±\u00a00.012"),
        (95.0, 0.4, "95.00 ±\u00a00.40"),
        (12.0, 0.0, "12.00 ±\u00a00"),
        (5e9, 2e7, "5.000 × 10⁹ ±\u00a02.0 × 10⁷"),
        (math.nan, math.nan, "–"),
        (0.25, math.nan, "0.2500"),
    ],
)
def test_a_number_is_as_precise_as_its_interval(value, half, words):
    assert plus_minus(value, half) == Markdown(words)
