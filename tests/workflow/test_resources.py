"""What jobs ask of a cluster: enough for what was measured, more of it by size and by attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import ROOT, SIMULATE

from twolevel.pipeline.config.study import SimulatedStudy

RESOURCES = (ROOT / "workflow/rules/resources.smk").read_text(encoding="utf-8")
CONDITIONS = len(SIMULATE["conditions"])
SNAKEMAKE = 360  # MB that it takes in addition to a script


def defined(subjects):
    study = SimulatedStudy(simulate={**SIMULATE, "subjects": subjects})
    names = {"STUDIES": {"big": study}, "REAL": [], "ASKED": {"table": None}}
    exec(compile(RESOURCES, "resources.smk", "exec"), names)
    return names


def asked(rule, subjects, attempt=1):
    asks = defined(subjects)["asks"](rule)
    return {name: ask({"study": "big"}, attempt) for name, ask in asks.items()}


@pytest.mark.parametrize(
    ("rule", "million_rows", "megabytes"),
    [
        *[("simulate_data", 0.3, 184), ("simulate_data", 3, 675), ("simulate_data", 30, 5851)],
        *[("load_data", 3, 737), ("describe_design", 9, 1044), ("describe_design", 30, 1156)],
        *[("fit_subjects", 3, 1204), ("fit_subjects", 9, 1778), ("fit_subjects", 30, 2154)],
        *[("fit_hierarchical", 3, 597), ("fit_hierarchical", 30, 1007)],
        *[("fit_mixed", 0.003, 425), ("fit_mixed", 3, 1311), ("fit_mixed", 30, 1695)],
        *[("partition_errors", 3, 1272), ("partition_errors", 30, 1575)],
        *[("plot_study", 0.3, 292), ("plot_study", 3, 964)],
    ],
)
def test_memory_is_enough_for_what_was_measured(rule, million_rows, megabytes):
    memory = asked(rule, int(million_rows * 1e6 / CONDITIONS))["mem_mb"]
    assert memory >= megabytes + SNAKEMAKE


@given(
    st.sampled_from(sorted(defined(2)["MEASURED"])),
    st.integers(2, 3 * 10**8),
    st.integers(0, 3 * 10**7),
)
def test_more_rows_never_ask_for_less_and_a_retry_asks_for_twice_as_much(rule, subjects, more):
    first = asked(rule, subjects)
    assert all(asked(rule, subjects + more)[name] >= first[name] for name in first)
    assert asked(rule, subjects, attempt=2) == {name: 2 * ask for name, ask in first.items()}


def test_figures_of_small_studies_are_drawn_where_snakemake_runs():
    assert defined(1_000_000 // CONDITIONS)["DRAWN_IN"] is None
    assert defined(1_000_000 // CONDITIONS + 1)["DRAWN_IN"] == "study"
