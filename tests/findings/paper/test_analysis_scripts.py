"""The scripts in R and Python give this project's numbers, for designs and names of every kind."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from study_results import results_of

from twolevel.experiments.simulation import simulate
from twolevel.files.stage_files import write_csv
from twolevel.findings.paper.code.analysis import analysis
from twolevel.findings.paper.code.in_jasp import in_jasp
from twolevel.findings.paper.code.python_script import python_script
from twolevel.findings.paper.code.r_script import r_script

TABLES = Path(__file__).parents[2] / "data"

# Runs each script in a folder of its own, and writes what it holds.
DRIVER = r"""
for (folder in commandArgs(TRUE)) {
  setwd(folder)
  run <- new.env()
  source("script.R", local = run, encoding = "UTF-8")
  keep <- function(name, value) write.csv(as.data.frame(value), paste0(name, ".csv"))
  made <- function(of) grep(paste0("^", of, "_"), ls(run), value = TRUE)
  if (!is.null(run$tests)) keep("tests", run$tests)
  if (!is.null(run$partitioned_tests)) keep("partitioned", run$partitioned_tests)
  keep("variances", as.data.frame(VarCorr(run$model)))
  if (!is.null(run$level1)) keep("level1", data.frame(sigma = sigma(run$level1)))
  if (!is.null(run$level2)) keep("level2", data.frame(sigma = sigma(run$level2)))
  for (name in made("pairs")) keep(name, summary(run[[name]], adjust = ADJUST))
  for (name in made("means")) keep(name, summary(run[[name]]))
  for (name in made("slopes")) keep(name, summary(run[[name]], infer = TRUE))
}
"""


def named(data: pd.DataFrame, **names: str) -> pd.DataFrame:
    """A table with other names for its columns."""
    return data.rename(columns=names)


def read(name: str, *texts: str) -> pd.DataFrame:
    """A table of the tests', with these columns as text."""
    return pd.read_csv(TABLES / name, dtype=dict.fromkeys(texts, str))


def awkward() -> pd.DataFrame:
    """Names and levels that code has to quote."""
    data = read("anxiety.csv", "subject")
    data["condition"] = data["condition"].map(
        {"t1": "vor 'her'", "t2": 'mit"en', "t3": "näch\\her"}
    )
    data["subject"] = "0" + data["subject"]
    return named(data, subject="teil nehmer", condition="zeit/punkt", group="if", y="μ (ms)")


def lecture() -> pd.DataFrame:
    """The first study of the default run."""
    return simulate(
        subjects=200,
        conditions={"t1": -2, "t2": 1, "t3": 3},
        grand_mean=5,
        sigma_between=3**0.5,
        sigma_within=2**0.5,
        seed=666,
    )


def sessions() -> pd.DataFrame:
    """Subjects in two sessions of four rows each, under two levels of a drug."""
    rng = np.random.default_rng(8)
    rows = [(f"s{i}", f"day {j}", "ab"[k % 2]) for i in range(9) for j in (1, 2) for k in range(4)]
    data = pd.DataFrame(rows, columns=["id", "session", "drug"])
    own, days = rng.normal(size=9), rng.normal(size=18)
    noise = (
        rng.normal(size=72) + 0.8 * rng.normal(size=18)[np.arange(72) // 8 * 2 + np.arange(72) % 2]
    )
    return data.assign(y=own[np.arange(72) // 8] + days[np.arange(72) // 4] + noise)


def covariates() -> pd.DataFrame:
    """Two factors, one of numbers, and an age that differs between subjects."""
    rng = np.random.default_rng(5)
    rows = [(f"s{i}", t, "ab"[i % 2], [1, 2.5][i // 2 % 2]) for i in range(16) for t in "xyz"]
    data = pd.DataFrame(rows, columns=["id", "time", "group", "dose"])
    data["age"] = rng.normal(40, 9, 16).round(1)[np.arange(48) // 3]
    data["score"] = rng.normal(size=16)[np.arange(48) // 3] + rng.normal(size=48) + data["age"] / 9
    return data


@cache
def studies() -> dict[str, dict]:
    """Tables with their formulas."""
    anxiety = read("anxiety.csv", "subject")
    missing = anxiety.drop(index=[3, 50, 51, 90])
    two = read("cases/two_within.csv", "subj")
    slopes = read("sleepstudy.csv", "subject")
    of = {"subject": "subject", "condition": "condition"}
    return {
        "lecture": {"data": lecture(), "formula": "response ~ condition"}
        | {"subject": "subject", "condition": "condition"},
        "selfesteem2": {
            "data": read("selfesteem2.csv", "id"),
            "formula": "score ~ treatment * time",
        }
        | {"subject": "id", "condition": "treatment"},
        "groups": of | {"data": anxiety, "formula": "y ~ condition * group"},
        "tukey": of | {"data": anxiety, "formula": "y ~ condition + group", "adjust": "tukey"},
        "own pairs": of
        | {"data": anxiety, "formula": "y ~ condition * group", "contrast_error": "own"},
        "missing": of | {"data": missing, "formula": "y ~ condition * group"},
        "group alone": {"data": anxiety, "formula": "y ~ group"}
        | {"subject": "subject", "condition": None},
        "trials": {"data": read("cases/trials_two_within.csv", "subj"), "formula": "rt ~ mood"}
        | {"subject": "subj", "condition": "mood"},
        "sessions": {"data": sessions(), "formula": "y ~ drug + (1 | id/session)"}
        | {"subject": "id", "condition": "drug"},
        "own effects": {"data": sessions(), "formula": "y ~ drug + (0 + drug | id)"}
        | {"subject": "id", "condition": "drug"},
        "mean": {"data": read("dyestuff.csv", "subject"), "formula": "y ~ 1"}
        | {"subject": "subject", "condition": None},
        "slopes": of | {"data": slopes, "formula": "y ~ condition"},
        "apart": of | {"data": slopes, "formula": "y ~ condition + (condition || subject)"},
        "curve": of | {"data": slopes, "formula": "y ~ poly(condition, 2) + (1 | subject)"},
        "days": of | {"data": slopes, "formula": "y ~ C(condition) + (1 | subject)"},
        "strata": {"data": two, "formula": "rt ~ flanker * block", "subject": "subj"}
        | {"condition": "flanker"},
        "awkward": {"data": awkward(), "formula": "`μ (ms)` ~ `zeit/punkt` * `if`"}
        | {"subject": "teil nehmer", "condition": "zeit/punkt", "adjust": "none"},
        "covariates": {"data": covariates(), "subject": "id", "condition": "time"}
        | {"formula": "score ~ time * age + group * C(dose)", "adjust": "bonferroni"},
        "centred": {"data": covariates(), "subject": "id", "condition": "time"}
        | {"formula": "score ~ time * center(age)"},
    }


NAMES = list(studies())


@cache
def found(name: str):
    """The results of a study."""
    study = dict(studies()[name])
    data, formula = study.pop("data"), study.pop("formula")
    return results_of(formula, data, study.pop("subject"), study.pop("condition"), **study)


def prepared(name: str, folder: Path) -> Path:
    """A folder with a study's data as its page offers them."""
    folder.mkdir()
    write_csv(folder / "data.csv", studies()[name]["data"])
    return folder


@pytest.fixture(scope="module")
def in_r(tmp_path_factory):
    """The folders in which the scripts were run by R."""
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed")
    root = tmp_path_factory.mktemp("r")
    folders = {name: prepared(name, root / str(k)) for k, name in enumerate(NAMES)}
    for name, folder in folders.items():
        (folder / "script.R").write_text(r_script(analysis(found(name))), "utf-8")
    adjust = {str(folders[name]): studies()[name].get("adjust", "holm") for name in NAMES}
    known = ", ".join(f"{json.dumps(f)} = {json.dumps(a)}" for f, a in adjust.items())
    driver = DRIVER.replace("ADJUST", f"c({known})[[folder]]")
    (root / "driver.R").write_text(driver, "utf-8")
    done = subprocess.run(
        ["Rscript", "driver.R", *map(str, folders.values())],
        cwd=root,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin:/usr/local/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folders


def same(theirs, ours, rel=2e-4):
    np.testing.assert_allclose(
        np.asarray(theirs, float), np.asarray(ours, float), rtol=rel, atol=1e-7
    )


def rows(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values=["NA"])


def term(name: str) -> frozenset[str]:
    """A term by its variables, however they are written."""
    bare = name.replace("`", "").replace("C(", "").replace("scale(", "").replace("center(", "")
    return frozenset(part.partition(",")[0].strip(") ") for part in bare.split(":"))


@pytest.mark.parametrize("name", NAMES)
def test_r_finds_the_tests_and_variances(in_r, name):
    mixed = found(name).mixed
    if mixed.anova:
        tests = rows(in_r[name], "tests").set_index("Unnamed: 0")
        theirs = {term(row): values for row, values in tests.iterrows()}
        assert len(theirs) == len(mixed.anova)
        for row in mixed.anova:
            test = theirs[term(row.term)]
            same(test[["NumDF", "DenDF", "F value"]], [row.df_num, row.df_den, row.F])
            same(test["Pr(>F)"], row.p, rel=2e-3)
    variances = rows(in_r[name], "variances")
    ours = [row.vcov for row in mixed.varcorr]
    same(sorted(variances["vcov"]), sorted(ours), rel=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_r_finds_the_means_differences_and_slopes(in_r, name):
    of, mixed = analysis(found(name)), found(name).mixed
    factors = {factor.factor: factor for factor in mixed.factors}
    for k, (factor, by) in enumerate(of.pairs, 1):
        if by is not None:
            means, contrasts = factors[by].within.means, factors[by].within.contrasts
        elif factor in factors:
            means, contrasts = factors[factor].means, factors[factor].contrasts
        else:
            means, contrasts = mixed.means, mixed.contrasts
        if of.contrast_error == "pooled":  # means have the model's error
            ours = [[row.estimate, row.se, row.df] for row in means]
            theirs = rows(in_r[name], f"means_{k}")
            estimate = "emmean"
            same(theirs[[estimate, "SE", "df"]], ours)
        theirs = rows(in_r[name], f"pairs_{k}")
        same(
            theirs[["estimate", "SE", "df"]], [[row.estimate, row.se, row.df] for row in contrasts]
        )
        same(theirs["p.value"], [row.p for row in contrasts], rel=2e-3)
    for k, number in enumerate(of.slopes, 1):
        (slope,) = [row for row in mixed.slopes if row.variable == number]
        theirs = rows(in_r[name], f"slopes_{k}").iloc[0]
        same(theirs.iloc[2:5], [slope.estimate, slope.se, slope.df])


@pytest.mark.parametrize("name", NAMES)
def test_r_finds_the_two_levels_and_the_strata(in_r, name):
    results, of = found(name), analysis(found(name))
    assert (in_r[name] / "level1.csv").exists() == of.own_fits
    if of.own_fits:
        same(rows(in_r[name], "level1")["sigma"][0], results.level1.sigma_within, rel=1e-6)
    assert (in_r[name] / "level2.csv").exists() == (of.intercept_only and of.even)
    if of.intercept_only and of.even:
        raw = rows(in_r[name], "level2")["sigma"][0]
        same(raw**2, results.two_stage.raw_variance, rel=1e-6)
    assert (in_r[name] / "partitioned.csv").exists() == of.crossed
    if of.crossed:
        theirs = rows(in_r[name], "partitioned")
        ours = [
            [row.df_num, row.df_den, row.F, row.generalised_eta2] for row in results.anova.table
        ]
        by_size = sorted(ours), sorted(theirs[["num Df", "den Df", "F", "ges"]].to_numpy().tolist())
        same(*reversed(by_size), rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_python_finds_the_same(tmp_path, monkeypatch, capsys, name):
    mixed = found(name).mixed
    monkeypatch.chdir(prepared(name, tmp_path / "study"))
    run: dict = {}
    exec(python_script(analysis(found(name))), run)
    assert capsys.readouterr().out
    same(run["fit"].varcorr["vcov"], [row.vcov for row in mixed.varcorr], rel=1e-9)
    if mixed.anova:
        ours = [[row.F, row.df_num, row.df_den, row.p] for row in mixed.anova]
        same(run["fit"].anova(), ours, rel=1e-9)
    assert ("anova" in run) == found(name).anova.available


def test_what_r_does_not_have_has_no_script():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"id": np.arange(40) // 4, "x": np.arange(40) % 4 + rng.random(40)})
    data["y"] = rng.normal(size=40)
    results = results_of("y ~ cr(x, df=3) + (1 | id)", data, "id", None)
    assert r_script(analysis(results)) is None


@pytest.mark.parametrize("name", NAMES)
def test_jasp_is_told_every_variable(name):
    of = analysis(found(name))
    said = "\n".join(in_jasp(of)).replace("\\", "")
    for column in [of.response, of.subject, *(each.name for each in of.variables)]:
        assert column.replace("\\", "") in said
    assert ("Repeated Measures ANOVA" in said) == (of.crossed and bool(of.names(within=True)))
    assert ("computed column" in said) == any(len(bar.grouping) > 1 for bar in of.formula.bars)
