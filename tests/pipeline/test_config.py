"""The config: what is accepted, and one readable line for whatever is not."""

import json
import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from twolevel.pipeline.config.check import (
    Config,
    RealStudy,
    SimulatedStudy,
    checked,
    duplicate_keys,
    json_schema,
    load,
)
from twolevel.pipeline.config.replication_study import SUBJECTS
from twolevel.pipeline.config.yaml_keys import check_before
from twolevel.pipeline.slices import Slice, grid_points, plan
from twolevel.text.errors import InputError

ROOT = Path(__file__).parents[2]
SIMULATE = {
    "subjects": 9,
    "conditions": {"a": -1, "b": 1.5},
    "grand_mean": 5,
    "sigma_between": 0,
    "sigma_within": 1,
    "seed": 666,
}
REAL = {"data": "table.csv", "formula": "score ~ time", "subject": "id"}


def simulated(**changes):
    return {"studies": {"s": {"simulate": {**SIMULATE, **changes}}}}


def real(**changes):
    return {"studies": {"s": {**REAL, **changes}}}


def problems(config):
    with pytest.raises(InputError) as error:
        load(config)
    return str(error.value).split("\n")


def test_the_default_run(monkeypatch):
    monkeypatch.chdir(ROOT)
    file = ROOT / "config" / "config.yaml"
    config = checked(yaml.safe_load(file.read_text(encoding="utf-8")), [file])
    assert list(config.studies) == ["lecture", "anxiety", "sleepstudy", "selfesteem2"]
    lecture = config.studies["lecture"].simulate
    assert lecture.conditions == {"t1": -2, "t2": 1, "t3": 3}
    assert (lecture.subjects, lecture.grand_mean, lecture.seed) == (200, 5, 666)
    assert lecture.sigma_between**2 == pytest.approx(3, rel=1e-15)
    assert lecture.sigma_within**2 == pytest.approx(2, rel=1e-15)
    formulas = {"anxiety": "score ~ time * group", "sleepstudy": "reaction ~ day"}
    for name, formula in (formulas | {"selfesteem2": "score ~ treatment * time"}).items():
        assert config.studies[name].formula == formula
        assert config.studies[name].missing == "refuse"


def test_defaults_and_kinds():
    config = load({"studies": {"a": {"simulate": SIMULATE}, "b": {**REAL, "unit": "ms"}}})
    a, b = config.studies.values()
    assert isinstance(a, SimulatedStudy)
    assert a.simulate.replicates == 1
    assert a.title is None
    assert a.level == b.level == 0.95
    assert isinstance(b, RealStudy)
    assert (b.condition, b.missing, b.replicates, b.unit) == (None, "refuse", "refuse", "ms")
    assert config.report.renderer == "auto"


def test_checking_a_checked_config_changes_nothing():
    config = load({"studies": {"a": {"simulate": SIMULATE}, "b": REAL}})
    assert load(config.model_dump(exclude_none=True)) == config
    assert load(config) == config


@pytest.mark.parametrize(
    ("bars", "subject"),
    [
        ("(1 + time | vp)", "vp"),
        ("(1 | vp) + (1 | vp:time)", "vp"),
        ("(0 + time | school/class)", "school"),
    ],
)
def test_the_subject_is_found_in_bars(bars, subject):
    study = {"data": "t.csv", "formula": f"score ~ time + {bars}"}
    assert load({"studies": {"a": study}}).studies["a"].subject == subject
    given = load({"studies": {"a": study | {"subject": subject}}}).studies["a"]
    assert given == load({"studies": {"a": study}}).studies["a"]


def test_names_that_yaml_reads_as_numbers_are_text():
    config = load(
        {"studies": {2024: {"simulate": {**SIMULATE, "conditions": {1: 0.5, 2.5: 1, "c": 0}}}}}
    )
    assert list(config.studies) == ["2024"]
    assert list(config.studies["2024"].simulate.conditions) == ["1", "2.5", "c"]


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (
            simulated(seed=6.5),
            "config: studies.s.simulate.seed: found 6.5 (a number with a fraction), expected an "
            'integer; write for example "seed: 666"',
        ),
        (real(level=95), "config: studies.s.level: found 95, expected less than 1"),
        (real(level=0.05), "found 0.05 (a number with a fraction), expected at least 0.5"),
        (simulated(seed="666"), 'found "666" (text: leave out quotes'),
        (simulated(seed=True), "found true (yes or no), expected an integer"),
        (simulated(seed=6.0), "found 6.0 (a number with a decimal point), expected an integer"),
        (simulated(seed=None), "found nothing, expected an integer"),
        (simulated(seed=-1), "found -1, expected at least 0"),
        (simulated(seed=10**5000), "found an integer too large"),
        (simulated(seed=[1]), "found a list, expected an integer"),
        (
            simulated(sigma_between=-0.5),
            "config: studies.s.simulate.sigma_between: found -0.5 (a number with a fraction), "
            'expected at least 0; write for example "sigma_between: 1.7"',
        ),
        (simulated(sigma_within=0), "sigma_within: found 0, expected more than 0"),
        (simulated(sigma_within=float("inf")), "found inf (a number with a fraction), expected a"),
        (simulated(grand_mean=float("nan")), "expected a finite number"),
        (simulated(grand_mean=True), "grand_mean: found true (yes or no), expected a number"),
        (simulated(grand_mean="1e5"), "powers of ten as 1.0e+5"),
        (simulated(grand_mean=10**400), "found an integer too large"),
        (simulated(subjects=1), "subjects: found 1, expected at least 2"),
        (simulated(replicates=0), "replicates: found 0, expected at least 1"),
        (simulated(conditions={"a": 0}), "conditions: found 1, expected at least 2 entries"),
        (simulated(conditions=["a"]), "found a list, expected names with their values"),
        (simulated(conditions={"a": 1, "b": "x"}), 'conditions.b: found "x" (text), expected a nu'),
        (simulated(conditions={True: 1, "b": 2}), "reads one name here as true (yes or no); put"),
        (simulated(conditions={None: 1, "b": 2}), "reads one name here as nothing; put it in quo"),
        (simulated(conditions={1: 1, "1": 2}), 'the name "1" occurs twice; rename one'),
        (simulated(conditions={" a": 1, "b": 2}), 'the name " a" is empty or has blanks around it'),
        (simulated(conditions={"day": [0, "x", 2]}, slope=1), 'conditions.day.1: found "x"'),
        (
            simulated(conditions={"a": {"a1": 0, "a2": "x"}}),
            'config: studies.s.simulate.conditions.a.a2: found "x" (text), expected a number',
        ),
        (simulated(strata={"condition": 1}), "s.simulate: strata: condition has one observation"),
        (simulated(strata={"condition": -1}), "simulate.strata.condition: found -1, expected at"),
        (simulated(random={"intercept": 1}), "simulate: expected one of sigma_between and random"),
        (
            simulated(sed=1),
            'config: studies.s.simulate.sed: unknown key (did you mean "seed"?); the keys are '
            "subjects, conditions, slope, grand_mean, sigma_between, random, strata, sigma_within, "
            "seed, replicates",
        ),
        (real(missing="dorp"), "found \"dorp\" (text), expected 'refuse' or 'drop'"),
        (real(replicates=2), "replicates: found 2, expected 'refuse' or 'allow'"),
        (real(subject=3), "subject: found 3, expected text"),
        (real(subject=""), "expected text that is not empty"),
        (real(condtion="time"), 'condtion: unknown key (did you mean "condition"?)'),
        (real(simulate=SIMULATE), "expected either simulate: (simulated data) or data:"),
        (real(formula="score"), 'studies.s.formula: formula "score": found no ~'),
        (real(formula="score ~ f(x)"), "f() is not a function"),
        (real(formula="score ~ time + id"), 'the subject column "id" is also in the formula'),
        (real(condition="group"), 'the condition "group" is not on the right-hand side'),
        (real(wide="score_{"), 'wide: found "score_{" (text), expected two columns or more'),
        (real(wide="{a}_{a}"), "expected two columns or more, each once"),
        (real(wide="{a}_*"), "expected two columns or more, each once"),
        (real(wide="{ a}_{b}"), "expected two columns or more, each once"),
        (real(wide={"x": {}, "y": {}}), "wide: x: found no factor, expected its levels"),
        (real(wide={"x": {"a": 1}, "y": {"b": 1}}), "wide: y: found the factors b, expected a as"),
        (real(wide={"x": {"a": 1}, "y": {"a": "1"}}), "wide: x and y have the same levels; fix"),
        (
            real(wide={"x": {"a": 1, "b": 1}, "y": {"a": 1, "b": 2}}),
            'wide: a has one level only, "1"; expected two or more',
        ),
        (real(wide={"x": {"a": 1}, "y": "z"}), "wide: found a group of keys, expected text"),
        ({"studies": {"s": {"data": "x.csv", "subject": "id"}}}, "formula: missing, but needed; w"),
        (
            {"studies": {"s": {"data": "x.csv", "formula": "y ~ t + (1 | id) + (1 | session)"}}},
            'groups by "id", "session", and no column stands right of all bars; where the levels '
            'of all lie within those of one, write for example "subject: id". Models of crossed',
        ),
        (
            real(formula="score ~ group + (1 | group:id)", subject="group"),
            "give every subject a label of its own in the table, and group by that column",
        ),
        (
            real(formula="score ~ time + (1 | vp)"),
            'group by "vp", and the subject is given as "id"; leave the subject out',
        ),
        (real(formula="score ~ time + (1 | id"), "stand in parentheses of their own"),
        (real(formula="score ~ 0 + time + (1 | id)"), "takes the intercept away"),
        (real(formula="score ~ id + (1 | id)"), 'the subject column "id" is also in the formula'),
        ({"studies": {"s": None}}, "studies.s: found nothing, expected either simulate:"),
        (real(data="<results>/x.csv"), "Snakemake takes <results> for a variable; rename"),
        (real(data="a{b}.csv"), "Snakemake takes {b} for a variable; rename"),
        ({"studies": {"s": {}}}, "studies.s: found an empty group of keys, expected either"),
        ({"studies": {"s": {"simulat": {}}}}, "found the keys simulat, expected either"),
        ({"studies": {"s": {"simulate": None}}}, "simulate: found nothing, expected keys with"),
        ({"studies": {"My study": REAL}}, 'found "My study" (text), expected a name of a-z, 0-9'),
        ({"studies": {"-a": REAL}}, "the first a letter or digit"),
        ({"studies": {"é": REAL}}, "expected a name of a-z"),
        ({"studies": {"a\n": REAL}}, "blanks around it"),
        ({"studies": {"a/b": REAL}}, "expected a name of a-z"),
        ({"studies": {-1: REAL}}, 'found "-1" (text'),
        ({"studies": {True: REAL}}, "reads one name here as true"),
        ({"studies": {1: REAL, "1": REAL}}, 'the name "1" occurs twice'),
        ({"studies": {}}, "config: found no study; write one under studies: or replications:"),
        ({}, "config: found no study; write one"),
        (None, "config: found nothing, expected keys with their values"),
        ([1], "config: found a list, expected keys with their values"),
        ({**real(), "report": {"renderer": "pdf"}}, "expected 'auto', 'quarto' or 'pandoc'"),
        ({**real(), "report": {"formats": ["doc"]}}, "expected 'html', 'docx' or 'pdf'"),
        ({**real(), "report": {"formats": "docx"}}, "formats: [html, docx]"),
        ({**real(), "publish": {"branch": "--all"}}, "publish.branch: found "),
        ({**real(), "reprot": {}}, 'config: reprot: unknown key (did you mean "report"?)'),
        ({**real(), 1: {}}, "config: 1: "),
    ],
)
def test_each_problem_is_one_line_that_names_place_and_remedy(config, line):
    (found,) = problems(config)
    assert found.startswith("config: ")
    assert line in found


DRAWN = {"subjects": 8, "grand_mean": 5, "sigma_within": 1}
LINES = {"conditions": {"day": [0, 1, 2]}, "slope": 1}
OWN = {"intercept": 1, "day": 0.3}
PLANNED = {"conditions": ["a", "b", "c"], "effect": {"d": 0.3}, "icc": 0.5}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (LINES, "found no sigma_between; expected"),
        (
            {**LINES, "sigma_between": [0, 1], "random": OWN},
            "expected one of sigma_between and",
        ),
        (
            {**LINES, "random": OWN, "groups": {"a": {}}},
            "groups: found 1 group, expected at least 2",
        ),
        (
            {**LINES, "random": OWN, "groups": {"a": {"size": 0}, "b": {}}},
            "r.groups.a.size: found 0, expected at least 1",
        ),
        (
            {**LINES, "random": OWN, "groups": {"a": {"sizes": 2}, "b": {}}},
            'unknown key (did you mean "size"?); the keys are size, effect, conditions, slope',
        ),
        ({**LINES, "random": OWN, "dropout": {"3": 0.1}}, 'dropout: found "3", expected a share'),
        (
            {**LINES, "random": OWN, "covariates": {"day": {"sd": 1, "slope": 1}}},
            'covariates: found "day", expected a name',
        ),
        ({"conditions": {"a": 0, "b": 1}, "within": {"f": {"a": 0}}}, "within: found beside"),
        ({"conditions": {"a": 0, "b": 1}, "sigma_between": 1, "strata": {"b": 1}}, 'found "b"'),
        (
            {
                "within": {"a": {"1": 0, "2": 1}, "b": {"1": 0, "2": 1}},
                "sigma_between": 1,
                "interactions": {"a:c": {"1:1": 1}},
            },
            'interactions: found "a:c", expected two factors',
        ),
        (
            {"like": "s", "groups": {"a": {}, "b": {}}},
            "conditions: missing, but needed with groups",
        ),
        ({"like": "s", "random": OWN}, "conditions: missing, but needed with slope: and random:"),
        ({"conditions": {"a": 0, "b": "x"}, "sigma_between": 1}, 'r.conditions.b: found "x"'),
        ({"conditions": ["a", "b"], "icc": 0.5}, "found names without effects, expected effect:"),
        ({"conditions": ["a", "a"], "icc": 0.5}, "r.conditions: a stands twice in the list"),
        ({**PLANNED, "conditions": {"a": 0, "b": 1}}, "effect: found beside conditions: with"),
        ({**PLANNED, **LINES}, "effect: found beside slope, which says it too"),
        ({**PLANNED, "effect": {"pattern": "linear"}}, "effect: found no size, expected one of d"),
        ({**PLANNED, "effect": {"d": 1, "pattern": [1, 2]}}, "found 2 weights, expected one of"),
        ({**PLANNED, "effect": {"d": 1, "sd": 1}}, "effect.sd: unknown key (did you mean"),
        ({**PLANNED, "sigma_between": 1}, "icc: found beside sigma_between, which says the same"),
        ({**PLANNED, "icc": 1.0}, "r.icc: found 1.0 (a number with a decimal point), expected le"),
        ({**PLANNED, "power": 1.0}, "r.power: found 1.0 (a number with a decimal point)"),
        ({**PLANNED, "alpha": 0.0}, "r.alpha: found 0.0 (a number with a decimal point)"),
        ({**PLANNED, "cost": {"subject": 30}}, "r.cost.trial: missing, but needed; write"),
        ({"like": "s", "icc": 0.5, "sigma_within": None}, "icc: found with like:, expected sigma"),
    ],
)
def test_experiments_that_are_not_replicated_are_refused(keys, words):
    studies = {"s": {"simulate": SIMULATE}}
    (found,) = problems({"studies": studies, "replications": {"r": {**DRAWN, **keys}}})
    assert words in found


def test_a_planner_says_an_effect_and_an_icc_and_no_more():
    found = load({"replications": {"r": PLANNED}}).replications["r"]
    assert found.axes == [SUBJECTS, [0.5**0.5], None, None]
    assert list(found.population.effects) == pytest.approx([-0.15, 0, 0.15])
    assert found.asked == {"power": [0.8, 0.9], "precision": None, "cost": None}
    assert (found.parameters["level"], found.per_subject) == (0.95, 3)
    within = load({"replications": {"r": {**PLANNED, "sigma_within": 2}}}).replications["r"]
    assert within.axes[1] == [pytest.approx(2.0)]
    names = load({"replications": {"r": {**PLANNED, "conditions": [1, 2]}}}).replications["r"]
    assert names.conditions == ["1", "2"]


def test_own_slopes_of_experiments_take_the_place_of_sigma_between():
    found = load({"replications": {"r": {**DRAWN, **LINES, "random": OWN}}}).replications["r"]
    assert (found.sigma_between, found.random, found.per_subject) == (None, OWN, 3)


def test_every_problem_has_its_line():
    lines = problems({"studies": {"s": {"simulate": {"seed": 1.5}}, "t": {**REAL, "data": 1}}})
    assert [line.split(": ")[1] for line in lines] == [
        "studies.s.simulate.subjects",
        "studies.s.simulate.conditions",
        "studies.s.simulate.grand_mean",
        "studies.s.simulate.sigma_within",
        "studies.s.simulate.seed",
        "studies.t.data",
    ]


keys = st.one_of(
    st.sampled_from([*Config.model_fields, "s", *SIMULATE, *REAL, "simulate", "renderer", "title"]),
    st.text(max_size=4),
    st.integers(),
    st.booleans(),
    st.none(),
    st.floats(),
    st.dates(),
)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates()
)
anything = st.recursive(
    leaves | st.sampled_from([SIMULATE, REAL, {"simulate": SIMULATE}, 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(st.one_of(anything, st.fixed_dictionaries({"studies": st.dictionaries(keys, anything)})))
def test_anything_gives_a_config_or_an_input_error(value):
    try:
        message = str(type(load(value)).__name__)
    except InputError as error:
        message = str(error)
    assert message == "Config" or all(m.startswith("config: ") for m in message.splitlines())


@given(st.sampled_from([simulated, real]), st.sampled_from([*SIMULATE, *REAL]), anything)
def test_any_value_of_any_key_gives_a_config_or_an_input_error(study, key, value):
    try:
        message = str(type(load(study(**{key: value}))).__name__)
    except InputError as error:
        message = str(error)
    assert message == "Config" or message.startswith("config: studies.s")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("studies:\n  a: 1\n  b: 2\n  a: 3\n", ['line 4: the key "studies.a"', "line 2", "rename"]),
        ("studies: {a: 1, a: 2}", ['line 1: the key "studies.a"']),
        ("a: 1\n'a': 2\n", ['line 2: the key "a"']),
        ("s: [{x: 1}, {x: 1, x: 2}]", ['"s.1.x"']),
        ("1: a\n01: b\n", ['line 2: the key "01"']),
        ("a: 1\n\tb: 2\n", ["line 2", "not with tabs"]),
        ("a: [1", ["line 1", "fix the text"]),
        ("a: *x", ["line 1", "undefined alias"]),
        ("--- a\n--- b", ["another document"]),
        ("? [a]\n: 1", ["line 1", "plain text"]),
        ("a: 2001-99-99", ["YAML cannot read a value", "quotes"]),
        ("a: \x01", ["special characters are not allowed"]),
        ("a: !!python/object:os.system x", ["line 1"]),
        ("{" * 3000, ["too deeply"]),
    ],
)
def test_yaml_that_loses_a_key_or_cannot_be_read(text, words):
    with pytest.raises(InputError) as error:
        duplicate_keys(text, "config/config.yaml")
    message = str(error.value)
    assert message.startswith("config/config.yaml: ")
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: {b: 1}\nc: {b: 1}",
        "a: &x {b: 1}\nc: *x\nd: *x",
        "1: a\n'1': b",
        "a: &x {b: 1}\nc:\n  <<: *x\n  b: 2",
    ],
)
def test_yaml_that_names_each_key_once(text):
    duplicate_keys(text, "config.yaml")


@given(st.one_of(st.text(), st.text(alphabet="a:b-{}[]&*!|> '\"\n\t1#?,<"), st.binary()))
def test_any_yaml_text_passes_or_gives_an_input_error(text):
    try:
        duplicate_keys(text, "config.yaml")
        message = "config.yaml: fine"
    except InputError as error:
        message = str(error)
    assert message.startswith("config.yaml: ")
    assert len(message.splitlines()) == 1


def test_checked_reads_files_and_headers(tmp_path):
    table, file = tmp_path / "table.csv", tmp_path / "config.yaml"
    table.write_text("id,time,score\n", encoding="utf-8")
    file.write_text("studies: {}", encoding="utf-8")
    assert checked(real(data=str(table)), [file]).studies["s"].subject == "id"
    studies = {"a": {**REAL, "data": str(table), "subject": "ID"}, "b": REAL}
    with pytest.raises(InputError) as error:
        checked({"studies": studies}, [file])
    first, second = str(error.value).split("\n")
    assert first.startswith(f'study a: {table}: there is no column "ID" (did you mean "id"?)')
    assert second.startswith("study b: table.csv: no such file")
    file.write_text("a: 1\na: 2", encoding="utf-8")
    with pytest.raises(InputError, match="already on line 1"):
        checked(real(data=str(table)), [file])


def test_the_schema_file_is_in_step():
    text = (ROOT / "config" / "schema.json").read_text(encoding="utf-8")
    assert json.loads(text) == json_schema(), "regenerate it as CONTRIBUTING.md says"


def test_the_readme_names_every_key():
    text = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    for definition in [json_schema(), *json_schema()["$defs"].values()]:
        for key in set(definition["properties"]) - {"simulate"}:
            assert f"| `{key}` |" in text


def test_import_is_light_and_prints_the_schema():
    run = {"capture_output": True, "text": True, "check": True, "cwd": ROOT / "workflow"}
    code = (
        "import sys, twolevel.pipeline.config.check;"
        "print([m for m in ('pandas', 'numpy', 'pyarrow', 'formulaic') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], **run).stdout.strip() == "[]"
    printed = subprocess.run([sys.executable, "-m", "twolevel.pipeline.config.check"], **run).stdout
    assert printed == (ROOT / "config" / "schema.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("formula", ["y ~ 0 + t", "y ~ t + 0", "y ~ t - 1", "y ~ t - 1 + g"])
def test_a_formula_without_intercept_is_refused(formula):
    study = {"data": "t.csv", "formula": formula, "subject": "id"}
    with pytest.raises(InputError, match="takes the intercept away"):
        load({"studies": {"a": study}})


@pytest.mark.parametrize("formula", ["y ~ 1", "y ~ t + g10", "y ~ bs(x, df=10) + t", "y ~ t1 + t"])
def test_other_zeros_and_ones_are_not_an_intercept(formula):
    load({"studies": {"a": {"data": "t.csv", "formula": formula, "subject": "id"}}})


@pytest.mark.parametrize("name", ["index", "x" * 20, "ab" * 12, "a-long-name-" * 6])
def test_study_names_that_would_break_a_run_are_refused(name):
    study = {"data": "t.csv", "formula": "y ~ t", "subject": "id"}
    with pytest.raises(InputError, match=name[:5]):
        load({"studies": {name: study}})


LAUGHS = "".join(f"\n{k}: &{k} [{', '.join([f'*{p}'] * 10)}]" for p, k in pairwise("abcdefgh"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"title: caf\xe9", "line 1: found the byte 0xe9, which is not UTF-8; save"),
        ("a: b".encode("utf-16"), "which is not UTF-8"),
        (b"a: " + b"[" * 40 + b"]" * 40, "nested too deeply"),
        (b"a: " + b"[" * 40_000, "nested too deeply"),
        (b"a: &a [1, 2, 3]" + LAUGHS.encode(), "its aliases (*) make"),
        (b"a: &a {x: 1}" + LAUGHS.replace("[", "\n  <<: [").encode(), "its aliases (*) make"),
        (b"a: &a [*a]", "stands inside what it repeats"),
        (b"__use_yte__: true", "run code"),
    ],
)
def test_a_config_that_snakemake_could_not_read(tmp_path, text, words):
    file = tmp_path / "config.yaml"
    file.write_bytes(text)
    start = time.monotonic()
    with pytest.raises(InputError) as error:
        check_before(file)
    assert str(error.value).startswith(f"{file}: ")
    assert words in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "text\n"])
def test_a_config_without_keys_is_named(tmp_path, text):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(InputError, match=r"config.yaml: found no.*expected keys such as studies:"):
        check_before(tmp_path / "config.yaml")


def test_a_config_that_is_a_link_to_nothing(tmp_path):
    (tmp_path / "config.yaml").symlink_to("gone.yaml")
    with pytest.raises(InputError, match=r"found a link to gone.yaml, which is not there"):
        check_before(tmp_path / "config.yaml")


def test_a_config_that_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "config.yaml")
    with pytest.raises(InputError, match="expected a file of YAML"):
        check_before(tmp_path / "config.yaml")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"grand_mean": 1e300}, "grand_mean: found 1e+300, expected 0 or a number from 1e-50"),
        ({"grand_mean": -1e60}, "grand_mean: found -1e+60"),
        ({"conditions": {"a": 0, "b": 1e308}}, "conditions.b: found 1e+308"),
        ({"sigma_within": 1e-320}, "sigma_within: found 1e-320"),
        ({"sigma_between": 1e300}, "sigma_between"),
        ({"grand_mean": 1e11, "sigma_within": 1}, "found sigma_within 1 with 1e+11"),
        ({"conditions": {"a": 0, "b": 1}, "sigma_within": 1e-40}, "found sigma_within 1e-40"),
        ({"subjects": 10**12}, "expected at most"),
        ({"replicates": 10**15}, "expected at most"),
    ],
)
def test_numbers_that_no_run_could_bear(change, words):
    for key, place in (("studies", "studies.s"), ("replications", "replications.s")):
        study = SIMULATE | change
        config = {key: {"s": {"simulate": study} if key == "studies" else study}}
        with pytest.raises(InputError) as error:
            load(config)
        assert str(error.value).startswith(f"config: {place}")
        assert words in str(error.value)
        assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"experiments": 10**15}, "at most 1000000000"),
        ({"experiments": 10**9, "subjects": 10**6}, "take fewer experiments or subjects"),
        ({"missing": 1e-300}, "missing"),
        (
            {"subjects": [*range(2, 200)], "sigma_between": [k / 7 for k in range(100)]},
            "found a grid of 19,800 points, expected at most 10,000",
        ),
    ],
)
def test_replications_that_would_never_end(change, words):
    with pytest.raises(InputError) as error:
        load({"replications": {"s": SIMULATE | change}})
    assert words in str(error.value)


@given(st.floats(1e-50, 1e50), st.floats(1e-50, 0.999), st.integers(1, 12))
def test_every_number_that_is_allowed_can_be_the_name_of_a_folder(sigma, missing, many):
    values = [[4, 10**7], [sigma * (1 + k / 7) for k in range(many)], [missing], [1]]
    parts = plan(grid_points(values), 10, [], 6)
    for part in parts:
        assert all(len(folder) < 256 for folder in part.path.split("/"))
        assert Slice.of_path(f"{part.path}.parquet") == part
