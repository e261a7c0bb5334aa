"""The one line of each folded part of a replication study's page."""

from test_replicated import study

from twolevel.findings.of_replication.depth import depth
from twolevel.findings.of_replication.replicated import OTHERS

NOTHING = {
    "failed": {"rate": (1.0, 1.0)},
    "asymptotic": {},
    "kenward-roger": {},
    "grand_mean": {},
}


def errors(found):
    return depth(found)["type one errors"]


def test_errors_are_those_of_the_test_and_of_the_asymptotic_one():
    assert errors(study()) == (
        "A test at the 5 % level rejects what is true in 4.00 to 6.00 % of experiments by "
        "Kenward–Roger, and in 9.00 % by the asymptotic chi-square test."
    )
    assert errors(study(test="asymptotic")).endswith("in 9.00 % of experiments by asymptotic.")
    assert errors(study(test="anova")).endswith(
        "in 9.00 % of experiments by the asymptotic chi-square test."
    )
    assert errors(study(extent=NOTHING)) == "There are no tests here."
    assert "at the 1 % level" in errors(study(level=0.99))


def coverage_of(found):
    return depth(found)["coverage"]


def test_the_coverage_is_in_percent():
    assert coverage_of(study()) == (
        "The 95 % interval of the grand mean covers it in 94.0 to 95.0 % of experiments."
    )
    assert coverage_of(study(level=0.99)).startswith("The 99 % interval")
    assert coverage_of(study({"grand_mean": {}})) == "There are no intervals here."


def test_what_estimates_do_is_said_with_their_numbers():
    ranges = {
        "grand_mean": {"empirical_se": (0.0789, 0.273)},
        "raw_variance": {"bias": (0.132, 0.234)},
    }
    found = depth(study(ranges))
    assert found["sampling"] == (
        "Estimates of the grand mean have a standard deviation of 0.0789 to 0.273, less with more "
        "subjects."
    )
    assert found["two stage"] == (
        "On average the variance of the subjects’ own means lies 0.13 to 0.23 above $\\sigma_b^2$, "
        "which no number of subjects mends."
    )


def test_power_and_what_fails_are_said_with_their_numbers():
    ranges = {
        "kenward-roger": {"power": (0.171, 1.0), "type_one_error": (0.04, 0.06)},
        "boundary": {"rate": (0.0, 0.107)},
        OTHERS: {"power": (0.036, 0.839), "type_one_error": (0.017, 0.05)},
    }
    found = depth(study(ranges))
    assert found["power"] == (
        "The Kenward–Roger test finds the difference in 17.1 to 100 % of experiments."
    )
    assert found["others"] == (
        "Other tests by Kenward–Roger have a power of 3.60 to 83.9 %, and reject what is true in "
        "1.70 to 5.00 %."
    )
    assert found["failures"] == (
        "A variance is estimated as 0 in up to 10.7 %; 0 % of experiments could not be fitted."
    )
    assert found["design"] == (
        "2 conditions, 8 to 12 subjects: 4,000 simulated experiments at each of 6 points of a grid."
    )


def test_where_nothing_could_be_fitted_the_lines_say_so():
    found = depth(study(NOTHING))
    assert found["sampling"] == found["two stage"] == "There are no estimates here."
    assert found["power"] == found["type one errors"] == "There are no tests here."
    assert found["others"] == "There are no other tests here."
    assert found["failures"] == "100 % of experiments could not be fitted."
