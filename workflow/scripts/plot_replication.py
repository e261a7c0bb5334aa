"""Draw what a replication study found: distributions, bias, coverage, power and type I error.

Reads the measures and the distributions; makes its figures.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from twolevel.figures.of_replication.bias_coverage import bias_coverage
from twolevel.figures.of_replication.power_curves import power_curves
from twolevel.figures.of_replication.sampling_distributions import sampling_distributions
from twolevel.figures.of_replication.two_stage_bias import two_stage_bias
from twolevel.figures.of_replication.type_one_error import type_one_error
from twolevel.figures.theme import save
from twolevel.files.stage_files import read_json, read_parquet
from twolevel.pipeline.job import run

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the figures."""
    files = snakemake.input
    measures, counts = read_parquet(files.measures), read_parquet(files.distributions)
    replication = read_json(files.replication)
    figures = {
        "sampling_distributions": sampling_distributions(
            counts,
            measures,
            grand_mean=replication["mean"],
            sigma_within=replication["scenario"]["sigma_within"],
        ),
        "two_stage_bias": two_stage_bias(measures),
        "bias_coverage": bias_coverage(measures),
        "power_curves": power_curves(measures, test=replication["test"]),
        "type_one_error": type_one_error(measures),
    }
    for path in snakemake.output.figures:
        name = Path(path).stem
        save(figures[name], path, title=name.replace("_", " "))


if __name__ == "__main__":
    run(main, snakemake)
