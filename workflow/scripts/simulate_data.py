"""Simulate a study: y_ij = mu + S_i + alpha_j + eta_ij, from the study's parameters and seed.

Makes the table of observations and the truth it was drawn from.
"""

from typing import TYPE_CHECKING

from twolevel.experiments.simulation import simulate, truth
from twolevel.pipeline.job import run
from twolevel.pipeline.tables.stored import Observations, write_observations
from twolevel.summaries.base import write_summary
from twolevel.summaries.truth_summary import TruthSummary

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the simulated observations and their truth."""
    parameters = dict(snakemake.params.simulate)
    data = simulate(**parameters)
    population = ("conditions", "grand_mean", "sigma_between", "sigma_within")
    names = {name: name for name in ("subject", "condition", "response")}
    write_observations(snakemake.output.observations, Observations(data, names))
    drawn_from = truth(**{key: parameters[key] for key in population})
    write_summary(snakemake.output.truth, TruthSummary.of(drawn_from))


if __name__ == "__main__":
    run(main, snakemake)
