"""Studies added to a config: nothing that stands there is changed."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from twolevel.pipeline.config.entry import entry, free_name, names, with_study
from twolevel.pipeline.config.keys import StudyName
from twolevel.text.errors import InputError

ROOT = Path(__file__).parents[2]
KEYS = {"data": "a: b #.csv", "subject": "yes", "formula": "y ~ `a b`", "wide": {"1": "t1"}}
TEXT = entry("mine", KEYS, {"data": ["One reason.", "Another: with a colon # and more."]}, ["Note"])


def test_an_entry_is_what_it_was_made_of():
    assert yaml.safe_load(TEXT) == {"mine": KEYS}
    assert "  # Note\n  # One reason.\n  # Another: with a colon # and more.\n  data:" in TEXT


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_texts_survive(value, reason):
    text = entry("mine", {"data": value}, {"data": [reason]}, [reason])
    assert yaml.safe_load(text) == {"mine": {"data": value}}


CONFIGS = [
    (ROOT / "config/config.yaml").read_text(encoding="utf-8"),
    "studies:\n  a:\n    data: x\n",
    "studies:\n  a:\n    data: x",
    "report: {renderer: auto}\nstudies:\n    a:\n        data: x  # last\n# the end\n",
    "studies:\n  a:\n    data: >\n      long\n      text\n\nreplications: {}\n",
    "studies:\n  a: {data: x,\n      formula: y}\n\n\nreport:\n  renderer: auto\n",
    'studies:\n  a:\n    wide: [x, y]\n    title: "two\n      lines"\nreport: {}\n',
]


@pytest.mark.parametrize("config", CONFIGS)
def test_the_rest_stays_as_it_is(config):
    text = with_study(config, "mine", TEXT)
    before, after = yaml.safe_load(config), yaml.safe_load(text)
    assert after["studies"].pop("mine") == KEYS
    assert after == before
    for line in config.splitlines():
        assert line in text


@pytest.mark.parametrize("config", CONFIGS)
def test_lines_end_as_they_did(config):
    text = with_study(config.replace("\n", "\r\n"), "mine", TEXT)
    assert text.replace("\r\n", "\n") == with_study(config, "mine", TEXT)
    assert "\n" not in text.replace("\r\n", "")


@pytest.mark.parametrize(
    "table", ["2024-01-15.csv", "no.csv", "07.csv", "1e3.csv", "null.csv", "0x1f.csv", "12_30.csv"]
)
def test_names_that_yaml_reads_as_something_else(table):
    name = free_name(table, ["a"])
    assert name == Path(table).stem
    text = with_study(CONFIGS[1], name, entry(name, KEYS, {}, []))
    assert yaml.safe_load(text)["studies"] == {"a": {"data": "x"}, name: KEYS}
    assert name in names(text)


@pytest.mark.parametrize(
    "config", ["studies: {a: {data: x}}\n", "studies: &s\n  mine: {data: x}\n", "report: {}\n"]
)
def test_what_cannot_be_added_to_is_left_alone(config):
    with pytest.raises(InputError, match=r"add this entry there yourself:\nmine:"):
        with_study(config, "mine", TEXT)


@given(st.text(), st.integers(0, 3))
def test_names_are_free_and_may_be_used(stem, often):
    from pydantic import TypeAdapter

    taken = []
    for _ in range(often + 1):
        name = free_name(f"folder/{stem}.csv", taken)
        assert name not in taken
        TypeAdapter(StudyName).validate_python(name)
        taken.append(name)
