"""Simulate a study: y_ij = mu + S_i + alpha_j + eta_ij, from the study's parameters and seed.

Makes the table of observations and the truth it was drawn from.
"""

from typing import TYPE_CHECKING

from twolevel.experiments.simulation import simulate, truth
from twolevel.files.stage_files import write_json
from twolevel.pipeline.job import run
from twolevel.pipeline.tables.stored import Observations, write_observations

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the simulated observations and their truth."""
    parameters = dict(snakemake.params.simulate)
    data = simulate(**parameters)
    population = ("conditions", "grand_mean", "sigma_between", "sigma_within")
    names = {name: name for name in ("subject", "condition", "response")}
    write_observations(snakemake.output.observations, Observations(data, names))
    write_json(snakemake.output.truth, truth(**{key: parameters[key] for key in population}))


if __name__ == "__main__":
    run(main, snakemake)
