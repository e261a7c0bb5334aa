"""Formulas with bars: what is fixed, what is random, and what is neither."""

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from twolevel.design.formula import parse
from twolevel.random.bars import read_bars
from twolevel.text.errors import InputError


# What lme4 1.1-31 makes of them: findbars(), nobars(), and expandDoubleVert(), of which the
# intercept is written here and the subject stands first.
@pytest.mark.parametrize(
    ("formula", "fixed", "bars"),
    [
        ("y ~ day", "y ~ day", []),
        ("y ~ day + (1 | id)", "y ~ day", ["(1 | id)"]),
        ("y~(day|id)", "y ~ 1", ["(1 + day | id)"]),
        ("y ~ (day + 1 | id) + day", "y ~ day", ["(1 + day | id)"]),
        ("y ~ 0 + f + (0 + f | id)", "y ~ 0 + f", ["(0 + f | id)"]),
        ("y ~ f + (f - 1 | id)", "y ~ f", ["(0 + f | id)"]),
        ("y ~ a*b - a:b + (a*b - a:b | id)", "y ~ a*b - a:b", ["(1 + a*b - a:b | id)"]),
        ("y ~ a + (1|id) + (1|id:a) - 1", "y ~ a - 1", ["(1 | id)", "(1 | id:a)"]),
        ("y ~ (1 | id/s/t)", "y ~ 1", ["(1 | id)", "(1 | id:s)", "(1 | id:s:t)"]),
        ("y ~ (1 | id:s/t)", "y ~ 1", ["(1 | id:s)", "(1 | id:s:t)"]),
        ("y ~ (day || id)", "y ~ 1", ["(1 | id)", "(0 + day | id)"]),
        ("y ~ (0 + day || id)", "y ~ 1", ["(0 + day | id)"]),
        ("y ~ (1 || id)", "y ~ 1", ["(1 | id)"]),
        (
            "y ~ (f * day || id)",
            "y ~ 1",
            ["(1 | id)", "(0 + f | id)", "(0 + day | id)", "(0 + f:day | id)"],
        ),
        ("y ~ (a / b || id)", "y ~ 1", ["(1 | id)", "(0 + a | id)", "(0 + a:b | id)"]),
        (
            "y ~ (day || id / s)",
            "y ~ 1",
            ["(1 | id)", "(0 + day | id)", "(1 | id:s)", "(0 + day | id:s)"],
        ),
        (
            "`rt (ms)` ~ zeit + (log(`a day`) + größe || `my id`)",
            "`rt (ms)` ~ zeit",
            ["(1 | `my id`)", "(0 + log(`a day`) | `my id`)", "(0 + größe | `my id`)"],
        ),
        ("y ~ class + (class | `True`)", "y ~ class", ["(1 + class | True)"]),
        ("y ~ `a|b` + (1 | `c | d`)", "y ~ `a|b`", ["(1 | `c | d`)"]),
    ],
)
def test_parts_are_those_of_lme4(formula, fixed, bars):
    mixed = read_bars(formula)
    assert mixed.fixed == fixed
    assert list(map(str, mixed.bars)) == bars


def test_columns_and_subject():
    mixed = read_bars("y ~ a + (1 + log(x) | id) + (0 + b | a:id)")
    assert mixed.grouping == ("id", "a")
    assert mixed.random_columns == ("id", "a", "x", "b")
    assert mixed.subject == "id"
    assert read_bars("y ~ (1 | id) + (1 | session)").subject is None
    assert read_bars("y ~ (1 | class/id)").subject == "class"
    assert read_bars("y ~ a").subject is None


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("y ~ a | id", ["parentheses of their own", "score ~ time + (1 | id)"]),
        ("y ~ a * (1 | id)", ["added to the other terms by +"]),
        ("y ~ a - (1 | id)", ["added to the other terms by +"]),
        ("y ~ a + ((1 | id))", ["parentheses of their own"]),
        ("y ~ (1 | id | b)", ["with one bar"]),
        ("y ~ (a) + b | (c)", ["parentheses of their own"]),
        ("(1 | id) ~ x", ["parentheses of their own"]),
        ("y ~ ( | id)", ["left of the bar in ( | id)", "write 1"]),
        ("y ~ (0 | id)", ["(0 | id) has no effects", "write 1"]),
        ("y ~ (1 | )", ["right of the bar in (1 | )", "(1 | id/session)"]),
        ("y ~ (1 | id + b)", ["right of the bar", "joined by : or /"]),
        ("y ~ (1 | C(id))", ["right of the bar", "added to the table"]),
        ("y ~ (1 | id/id)", ['"id" stands twice', "remove one"]),
        ("y ~ (foo(x) | id)", ["(1 + foo(x) | id): foo()", "column of the table"]),
        ("y ~ (y | id)", ["(1 + y | id)", 'response "y"', "remove it"]),
        ("y ~ (a + | id)", ["nothing stands next to a +"]),
        ("y ~ a + + b + (1 | id)", ["nothing stands next to a +"]),
        ("y ~ (1 | id) +", ["nothing stands next to a +"]),
        ("~ (1 | id)", ["left of ~"]),
        ("y ~ 0 + (1 | id)", ["response ~ 1"]),
        ('y ~ (__import__("os") | id)', ["is not a function"]),
        ('y ~ (I(__import__("os")) || id)', ["is not a function"]),
    ],
)
def test_refusals_say_what_and_how_to_mend(formula, words):
    with pytest.raises(InputError) as error:
        read_bars(formula)
    message = str(error.value)
    assert message.startswith('formula "')
    for word in words:
        assert word in message


WORDS = "y a b id `a.b` + + - * : / | | || ( ( ) ) ) 0 1 2 log( C( [ ] ,"


@examples(300)
@given(
    st.lists(st.sampled_from(WORDS.split()), max_size=12).map(" ".join).map("y ~ a + ({}".format)
)
def test_any_text_is_read_or_refused_in_one_line(text):
    try:
        mixed, refused = read_bars(text), ""
    except InputError as error:
        mixed, refused = None, str(error)
    if mixed is None:
        assert len(refused.splitlines()) == 1
        return
    assert parse(mixed.fixed).response == "y"
    for bar in mixed.bars:
        again = read_bars(f"y ~ 1 + {bar}")
        assert again.bars == (bar,)
        assert again.fixed == "y ~ 1"
