"""Draw, fit and test a slice of a replication study's experiments, block by block.

Reads nothing but the parameters, or what a study is like; makes the sums of each block that all
performance measures need, and where they are to be kept the experiments themselves.
"""

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pandas as pd

from twolevel.experiments.blocks import BLOCK
from twolevel.experiments.performance import block_sums
from twolevel.experiments.run import replicate_block
from twolevel.files.stage_files import parquet_parts, write_parquet
from twolevel.pipeline.job import run
from twolevel.pipeline.like_study import Points
from twolevel.pipeline.slices import AXES, Slice

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the sums of all blocks, and the experiments if they are kept."""
    parameters, files = snakemake.params.replication, snakemake.input
    seed, test, level = (parameters[key] for key in ("seed", "test", "level"))
    points = Points.of(files, snakemake.params)
    part = Slice.of_path(snakemake.output.sums)
    path = snakemake.output.get("experiments")
    sums = []
    with parquet_parts(path) if path else nullcontext() as keep:
        for point in part.points:
            scenario = points.at(point)
            axes = {name: getattr(scenario, name) for name in AXES}
            for block, size in part.blocks:
                experiments = replicate_block(scenario, block, size, seed, test, level)
                place = axes | {"block": block, "size": size}
                sums.append(block_sums(scenario, experiments, test).assign(**place))
                if keep:
                    numbers = range(block * BLOCK, block * BLOCK + size)
                    keep(experiments.assign(**axes, experiment=numbers))
    write_parquet(snakemake.output.sums, pd.concat(sums, ignore_index=True))


if __name__ == "__main__":
    run(main, snakemake)
