"""Simulate a study from its parameters and seed.

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
    of_truth = {k: v for k, v in parameters.items() if k not in ("subjects", "seed")}
    drawn_from = truth(**of_truth)
    condition = data.columns[1]
    names = {name: name for name in data.columns}
    columns = {"subject": names.pop("subject"), "condition": names.pop(condition)}
    observations = Observations(data.rename(columns={condition: "condition"}), columns | names)
    write_observations(snakemake.output.observations, observations)
    write_summary(snakemake.output.truth, TruthSummary.of(drawn_from))


if __name__ == "__main__":
    run(main, snakemake)
