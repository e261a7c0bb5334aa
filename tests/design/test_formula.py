"""Formulas: the columns they name, and that nothing in them is evaluated."""

import builtins
import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from twolevel.design.formula import CONTRASTS, TRANSFORMS, FormulaNames, parse
from twolevel.text.errors import InputError


@pytest.mark.parametrize(
    ("formula", "response", "variables"),
    [
        ("score ~ time", "score", ("time",)),
        ("y~1", "y", ()),
        ("y ~ b + a + b:a", "y", ("b", "a")),
        ("y ~ (a + b)^2 / c - 1", "y", ("a", "b", "c")),
        ("y ~ 0 + a", "y", ("a",)),
        ("y ~ C(time, contr.treatment('t2')) * group", "y", ("time", "group")),
        ('y ~ C(time, Treatment("t2"))', "y", ("time",)),
        ("y ~ C(time, Sum) + C(group, contr.sum)", "y", ("time", "group")),
        ("y ~ C(time, contrasts=contr.poly(scores=[1, 2, 4]))", "y", ("time",)),
        ("y ~ center(age) + scale(iq, center=False)", "y", ("age", "iq")),
        ("y ~ poly(age, 2) + bs(x, df=4) + I(a ** 2 + 3 * b)", "y", ("age", "x", "a", "b")),
        ("`reaction time` ~ `RT (ms)` + log(`RT [ms]`)", "reaction time", ("RT (ms)", "RT [ms]")),
        ("y ~ class + Sepal.Length", "y", ("class", "Sepal.Length")),
        ("größe ~ zeit", "größe", ("zeit",)),
        ("y ~ Sum", "y", ("Sum",)),
        ("y ~ C(Sum) + center(center) + C(class)", "y", ("Sum", "center", "class")),
        ("y ~ log(Sepal.Length) + scale(`a`) + `it's`", "y", ("Sepal.Length", "a", "it's")),
        ("y ~ `1` + `True` + True + I(`None`)", "y", ("1", "True", "None")),
        ("y ~ x.__class__ + log(`'+exit()+`)", "y", ("x.__class__", "'+exit()+")),
        ("y\n  ~ a\n  + b", "y", ("a", "b")),
    ],
)
def test_columns_in_order_of_first_appearance(formula, response, variables):
    assert parse(formula) == FormulaNames(response, variables)


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("score", ["no ~", "score ~ time"]),
        ("y ~ x ~ z", ["more than one ~"]),
        ("~ x", ["left of ~", "score ~ time"]),
        ("y ~ ", ["right of ~", "score ~ 1"]),
        ("y ~ 0", ["response ~ 1"]),
        ("log(y) ~ x", ["left of ~", "add it to the table"]),
        ("y + z ~ x", ["left of ~", "one column"]),
        ("y ~ .", ["all other columns", "name each column"]),
        ("y ~ time | id", ["parentheses of their own", "score ~ time + (1 | id)"]),
        ("y ~ time * (1 || id)", ["added to the other terms by +"]),
        ("y ~ foo(x)", ["foo()", "contr.treatment()", "column of the table"]),
        ("y ~ np.log(x)", ["np.log()", 'did you mean "log"?']),
        ("y ~ contr.foo(x)", ["contr.foo()"]),
        ("y ~ contr.sum(x)", ["stands in C()"]),
        ("y ~ lag(x)", ["lag()"]),
        ("y ~ center (x)", ["blank"]),
        ("y ~ (x", ["parentheses", "opened and not closed"]),
        ("y ~ center(x", ["parentheses", "opened and not closed"]),
        ("y ~ x)", ["parentheses", "closed that was not opened"]),
        ("y ~ a b", ["operator is missing"]),
        ("y ~ a +", ["operator"]),
        ("y ~ 2 * x", ["found 2", "I(2 * age)"]),
        ('y ~ "text"', ["found 'text'"]),
        ("y ~ (0 + a):b", ["outside parentheses"]),
        ("y ~ y", ['response "y"', "remove it"]),
        ("y ~ `a", ["quote ` is not closed"]),
        ('y ~ C(t, contr.treatment("b)"))', ["character )", "rename the level"]),
        ("y ~ 1a", ["start with a digit", "backticks"]),
        ("y ~ a %in% b", ['"%"', "backticks"]),
        ("y ~ a$b", ['"$"']),
        ("y ~ ``", ["backticks is empty"]),
        ("y ~ I(x ^ 2)", ["inside a function"]),
        ("y ~ a*b*c*d*e*f*g*h*i*j*k", ["1000 terms"]),
        ("y ~ (a + b)**99", ["between 1 and 10", "99"]),
        ("y ~ poly(x, 100000)", ["poly() makes at most 50 columns", "100000"]),
        ("y ~ bs(x, df=51)", ["bs() makes at most 50 columns", "51"]),
        ("y ~ C(x, levels=['a', 'b'])", ["no levels here", "key levels:"]),
        ("y ~ " + "+".join("a" * 300), ["400 names and signs"]),
        ("y ~ " + "a" * 3000, ["2000 characters"]),
        ("y ~ " + "(" * 300 + "x" + ")" * 300, ["400 names and signs"]),
    ],
)
def test_refusals_say_what_and_how_to_mend(formula, words):
    with pytest.raises(InputError) as error:
        parse(formula)
    message = str(error.value)
    assert message.startswith('formula "')
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    "formula",
    [
        'y ~ __import__("os").system("true")',
        'y ~ I(__import__("os"))',
        "y ~ {__import__('os')}",
        "y ~ log(x).__class__",
        "y ~ center(x, _context=1)",
        "y ~ center(x, **x)",
        "y ~ center(*x)",
        "y ~ I(x[0])",
        "y ~ x[0]",
        "y ~ I((lambda: 1)())",
        "y ~ I([z for z in x])",
        "y ~ I(x if x else x)",
        "y ~ I(x := 1)",
        "y ~ I(x == 1)",
        'y ~ I(f"{x}")',
        "y ~ np.loadtxt('x')",
        "y ~ eval('1')",
        "y ~ C(x, eval)(x)",
        "y ~ log(x)(x)",
        "y ~ contr.sum.mro()",
        "y ~ C(x, contr.treatment(center(x)))",
        "y ~ I(9 ** 9 ** 9)",
        "y ~ I((9 ** 9) ** 9 + x)",
        "y ~ I(x ** 99)",
        "y ~ I('a' * 9999999999)",
        "y ~ I([1] * 9999999999)",
        # Formulaic cuts a call at the parenthesis in this text, and what follows would be code.
        'y ~ C(x, ")+exit(") + z',
        "y ~ log(`a\\`b`)",
    ],
)
def test_no_way_to_run_code(formula):
    with pytest.raises(InputError):
        parse(formula)


SIGNS = "~ ~ + - * : / ^ ** ( ) , = . | [ ] { } % \\ ' \" `"
WORDS = """y a b `a_b` class time é ﬁ ² 0 1 2 1e5 "t" center( C( contr.sum( contr.treatment log( I(
    poly( Sum df= __ lambda if True exit("""
PIECES = st.sampled_from(
    [*SIGNS.split(), *(word.replace("_b", " b") for word in WORDS.split()), " ", "\n"]
)


def formulas():
    soup = st.lists(PIECES, max_size=14).map("".join)
    name = st.sampled_from(
        ["a", "b", "`a b`", "center(a)", "C(b, Sum)", "I(a**2 - 1)", "log(`a b`)"]
    )
    sums = st.lists(st.tuples(name, st.sampled_from(["+", "-", "*", ":", "/"])), min_size=1)
    terms = sums.map(lambda pairs: "".join(n + s for n, s in pairs[:6])[:-1])
    return st.one_of(soup, terms, soup.map("y ~ a + {}".format), terms.map("y ~ {}".format))


@given(st.one_of(st.text(max_size=40), formulas()))
def test_any_text_gives_names_or_an_input_error_and_runs_nothing(text):
    def forbidden(*args, **kwargs):
        raise AssertionError("evaluated")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtins, "eval", forbidden)
        patch.setattr(builtins, "exec", forbidden)
        try:
            names, message = parse(text), "fine"
        except InputError as error:
            names, message = FormulaNames("y", ()), str(error)
    assert len(message.splitlines()) == 1
    assert names.response not in names.variables
    assert len(set(names.variables)) == len(names.variables)


@given(formulas())
def test_what_is_accepted_means_the_same_to_formulaic(text):
    """Formulaic parses it, and with only these columns at hand misses none."""
    import pandas as pd
    from formulaic import Formula
    from formulaic.errors import FactorEvaluationError

    try:
        names = parse(text)
    except InputError:
        assume(False)
    table = pd.DataFrame({n: [1.0, 2.0, 4.0, 3.0] for n in (names.response, *names.variables)})
    trouble = ""
    try:
        Formula(text).get_model_matrix(table, context={})
    except FactorEvaluationError as error:
        trouble = str(error)
    # A transform may dislike what it is given, but it knows every name.
    assert "NameError" not in trouble
    assert "not present" not in trouble


def test_functions_are_those_of_formulaic():
    from formulaic.transforms import TRANSFORMS as THEIRS

    assert set(THEIRS) >= TRANSFORMS
    for contrast in CONTRASTS:
        registry, _, name = contrast.rpartition(".")
        assert hasattr(THEIRS["contr"], name) if registry else name in THEIRS


def test_import_is_light():
    code = (
        "import sys, twolevel.design.formula;"
        "print([m for m in ('pandas', 'numpy', 'formulaic') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.strip() == "[]"
