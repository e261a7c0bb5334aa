"""How many subjects: the sentences that a planner came for."""

from typing import Any

from example_summaries import REPLICATION

from twolevel.findings.of_replication.config_words import SpreadWords, name_of_test
from twolevel.findings.of_replication.how_many import FEW, Planned
from twolevel.findings.of_replication.planned import answers
from twolevel.summaries.plan_summary import PlanSummary
from twolevel.summaries.replication_summary import ReplicationSummary

EFFECT = {"difference": 1.0, "d": 0.7, "f": 0.3, "eta_squared": 0.08}


def size(
    exact=None, subjects=126, low=124, high=129, power=0.8, experiments=5000, term="condition"
):
    return {
        **{
            "term": term,
            "power": power,
            "exact": exact,
            "subjects": subjects,
            "low": low,
            "high": high,
        },
        "experiments": experiments,
    }


def row(*sizes, sigma_between=1.0, missing=0.0, **more):
    total = sigma_between**2 + 1
    of_design = {"sigma_between": sigma_between, "missing": missing, "sigma_within": 1.0}
    of_design |= {"replicates": 1}
    of_design |= {"mean": 0.0, "sd": total**0.5, "icc": sigma_between**2 / total}
    found = {"effect": EFFECT, "sizes": list(sizes), "observed": [], "widths": []}
    return of_design | found | {"cheapest": [], "differences": []} | more


def summary(rows, **more):
    given = {"rows": rows, "precision": None, "cost": None, "caution": None, "adjust": None}
    return PlanSummary.of(given | {"most": 100_000} | more)


def said(
    *rows: dict[str, Any], alike=True, like=None, by_icc=True, replication=None, **more: Any
) -> dict[str, str]:
    plan = summary(rows, **more)
    study = ReplicationSummary.of(REPLICATION | (replication or {}))
    found = Planned(plan, study, SpreadWords.of(plan, by_icc), like, alike)
    claims = [claim for claim in answers(found) if claim.of != "effect"]
    return {f"{claim.of}{k or ''}": claim.said for k, claim in enumerate(claims)}


def test_the_exact_number_is_the_answer_and_simulation_stands_beside_it():
    assert said(row(size(109, 109, 105, 113), size(143, 144, 140, 149, 0.9))) == {
        "size": "You need **109 subjects** for a power of 80 % (simulated: 95 % interval 105 to "
        "113), and **143** for 90 % (140 to 149)."
    }


def test_without_theory_simulation_is_the_answer():
    assert said(row(size()))["size"] == (
        "You need **126 subjects** for a power of 80 % (found by simulation: 95 % interval 124 to "
        "129)."
    )
    assert "**more than 100,000 subjects**" in said(row(size(None, None, None, None)))["size"]
    beyond = size(None, None, None, None, experiments=None)
    assert said(row(beyond))["size"] == (
        "You need **more than 100,000 subjects** for a power of 80 %."
    )
    assert "95 % interval 8)" in said(row(size(8, 8, 8, 8)))["size"]
    assert said(row(size(None, None, None, None, experiments=0))) == {}
    assert said(row()) == {}


def test_designs_are_told_apart_by_what_differs():
    found = list(said(row(size(21)), row(size(), missing=0.1)).values())
    assert found[0].startswith("With complete data, you need **21 subjects**")
    assert found[1].startswith("With 10 % of cells missing, you need **126 subjects**")
    found = list(said(row(size(21)), row(size(22), sigma_between=0.0)).values())
    assert found[0].startswith("With an ICC of 0.5, you need **21")
    many = [row(size(20 + k), sigma_between=float(k)) for k in range(FEW + 1)]
    assert said(*many) == {
        "size": "For a power of 80 % you need from **20 subjects**, with an ICC of 0, to **24**, "
        "with an ICC of 0.9412 (@tbl-sizes)."
    }
    trials = said(row(size(21), replicates=5), row(size(30)))
    assert trials["size"].startswith("With 5 observations in each cell, you need **21")


def test_effects_are_told_apart_where_there_are_several():
    found = list(said(row(size(21), size(46, term="group:condition"))).values())
    assert found[0].startswith(
        "You need **21 subjects** for a power of 80 % in the test of the con"
    )
    assert found[1].startswith("You need **46 subjects** for a power of 80 % in the test of group")
    terms = [size(20 + k, term=f"t{k}") for k in range(FEW + 1)]
    found = list(said(row(*terms)).values())
    assert found[4] == (
        "For a power of 80 % in the test of t4 you need **24 subjects** (@tbl-sizes)."
    )


def test_an_observed_effect_is_not_planned_for_without_a_word():
    caution = {"F": 55.5, "df_num": 2, "df_den": 18.0, "share": 0.819, "others": {}}
    observed = row(size(4), observed=[size(3)])
    found = said(observed, caution=caution, like="selfesteem")["caution1"]
    assert found.startswith("The effect is **82 % of what selfesteem observed** (F(2.00, 18.0) = ")
    assert "With a probability of 80 % the true effect is larger" in found
    assert found.endswith("would take 3 for 80 %, which is not to be relied on.")
    nothing = said(row(observed=[size(90)]), caution=caution | {"share": 0.0}, like="weak")
    assert nothing["caution"].startswith("**What weak observed says too little to plan with**")
    assert "20 % of studies have an F as large. The cautious effect is 0." in nothing["caution"]


def width(subjects=44, variable="condition", low=None, high=None, slope=False, made=True):
    found = {"variable": variable, "slope": slope, "subjects": subjects, "low": low, "high": high}
    return found | {"exact": low is None, "made": made}


def test_a_width_has_its_number():
    found = said(row(size(9), widths=[width()]), precision=0.4)["width1"]
    assert found == (
        "**44 subjects** make the 95 % interval of a difference of two conditions 0.4 wide on "
        "average."
    )
    several = [width(44, "group", 43, 45), width(30, "day", slope=True), width(9, "flanker")]
    found = said(row(size(9), widths=several), precision=0.4)
    assert found["width1"] == (
        "**44 subjects** make the 95 % interval of a difference of two groups 0.4 wide on average "
        "(found by simulation: 95 % interval 43 to 45)."
    )
    assert "of the slope of day 0.4 wide" in found["width2"]
    assert "of a difference of two levels of flanker 0.4 wide" in found["width3"]
    many = [row(missing=k / 10, widths=[width(44 + k), width(None, "g")]) for k in range(3)]
    assert list(said(*many, precision=0.4).values()) == [
        "**44 to 46 subjects**, depending on the design, make the 95 % interval of a difference of "
        "two conditions 0.4 wide on average (@tbl-width).",
        "**more than 100,000 subjects** make the 95 % interval of a difference of two levels of g "
        "0.4 wide on average (@tbl-width).",
    ]
    assert said(row(widths=[width(None, made=False)]), precision=0.4) == {}


COST = {"subject": 30.0, "trial": 0.5}


def cheapest(cost=1316.0, replicates=17, term="condition", power=0.8):
    found = {"term": term, "power": power, "subjects": 28, "replicates": replicates}
    return found | {"cost": cost, "exact": True}


def test_a_cost_has_its_design():
    best = [cheapest(), cheapest(2000.0, power=0.9)]
    found = said(row(size(9), cheapest=best), cost=COST, alike=False)
    assert found["cheapest1"] == (
        "At 30 for a subject and 0.5 for each of its observations, the cheapest design with a "
        "power of 80 % has **28 subjects with 17 observations in each cell**, and costs 1,316."
    )
    assert len(found) == 2
    found = said(row(size(9), cheapest=[cheapest(replicates=1)]), cost=COST)
    assert "**28 subjects with 1 observation in each cell**" in found["cheapest1"]
    assert "takes subjects for alike" in found["alike2"]


def test_the_cheapest_design_is_said_once_whatever_number_of_trials_the_grid_has():
    """With those of each test in one sentence."""
    two = [row(cheapest=[cheapest(), cheapest(900.0, term="group")]), row(replicates=2)]
    found = said(*two, cost=COST)
    assert list(found) == ["cheapest", "alike1"]
    assert "with a power of 80 % in the test of the conditions has **28" in found["cheapest"]
    assert "costs 1,316; that in the test of group has **28 subjects with" in found["cheapest"]


def test_a_test_without_a_cheapest_design_is_named():
    found = said(row(size(9), size(9, term="group"), cheapest=[cheapest()]), cost=COST, alike=False)
    (left,) = (words for claim, words in found.items() if claim.startswith("no cheapest"))
    assert "**No cheapest design** is known for the test of group:" in left
    assert any(claim.startswith("no cheapest") for claim in said(row(size(9)), cost=COST))


def test_of_many_designs_costs_have_a_range():
    many = [row(sigma_between=float(k), cheapest=[cheapest(100.0 + k)]) for k in range(FEW + 1)]
    assert said(*many, cost=COST, alike=False) == {
        "cheapest": "At 30 for a subject and 0.5 for each of its observations, the cheapest "
        "design with a power of 80 % costs **100 to 104**, depending on the design (@tbl-cost)."
    }


def test_differences_have_the_number_of_the_hardest():
    sizes = [
        size(20, term="a - b"),
        size(None, 66, term="a - c"),
        size(30, term="a - b", power=0.9),
    ]
    assert list(said(row(differences=sizes), adjust="holm").values()) == [
        "With **66 subjects** each pairwise difference that there is has a power of 80 % or more "
        "(Holm\\-adjusted p \\< \\.05; @tbl-differences), and with **30** one of 90 %."
    ]
    both = [row(differences=sizes[:1]), row(differences=sizes[:2], missing=0.1)]
    (found,) = said(*both, adjust="none").values()
    assert found.startswith("With **20 to 66 subjects**, depending on the design, each pairwise")
    untested = [size(None, None, None, None, experiments=0, term="a - b")]
    assert said(row(differences=untested), adjust="holm") == {}


def test_what_is_to_be_found_is_said_in_units_of_the_total_standard_deviation():
    def effect(*rows, **replication):
        plan = summary(rows)
        study = ReplicationSummary.of(REPLICATION | replication)
        found = answers(Planned(plan, study, SpreadWords(), None, True))
        return next(claim.said for claim in found if claim.of == "effect")

    assert effect(row(size(21)), level=0.99) == (
        "This is to find a largest difference of **d = 0.7** between conditions (@tbl-effect), "
        "by the Kenward–Roger test at the 1 % level."
    )
    other = row(size(21), effect=EFFECT | {"d": 0.9})
    lines = REPLICATION["scenario"] | {"conditions": {"day": [0.0, 1.0]}, "slope": 1.0}
    found = effect(row(size(21)), other, scenario=lines, formula="response ~ day")
    assert "difference of **d = 0.7 to 0.9** over the values of day (@tbl-effect)" in found


def test_the_spread_between_subjects_has_the_word_of_the_config():
    many = [row(size(20 + k), sigma_between=0.5 * k) for k in range(2)]
    assert (
        "With a standard deviation of 0.5 between subjects, you"
        in said(*many, by_icc=False)["size1"]
    )
    assert "With an ICC of 0.2, you need" in said(*many)["size1"]


def test_the_first_test_is_called_by_its_factor():
    assert name_of_test(ReplicationSummary.of(REPLICATION), "condition") == "condition"
    two = REPLICATION | {
        "formula": "response ~ flanker * block",
        "terms": ["condition", "block", "flanker:block"],
    }
    names = [name_of_test(ReplicationSummary.of(two), term) for term in two["terms"]]
    assert names == ["flanker", "block", "flanker:block"]
