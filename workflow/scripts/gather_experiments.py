"""Gather the experiments of a replication study that keeps them into one table.

Reads the slices' experiments; makes one row for each experiment of the grid.
"""

from itertools import product
from typing import TYPE_CHECKING

from twolevel.files.stage_files import parquet_parts, read_parts
from twolevel.pipeline.job import run
from twolevel.pipeline.slices import Slice

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Append the row groups, each a block of experiments at a point, of what the grid holds."""
    wanted = set(Slice.up_to(snakemake.params.experiments).blocks)
    points = set(map(tuple, snakemake.params.points))
    with parquet_parts(snakemake.output.experiments) as write:
        for path in snakemake.input.experiments:
            part = Slice.of_path(path)
            groups = product(part.points, part.blocks)
            for (point, block), table in zip(groups, read_parts(path), strict=True):
                if point in points and block in wanted:
                    write(table)


if __name__ == "__main__":
    run(main, snakemake)
