"""Draw the data: one subject's, with its own saturated fit, and every subject's.

Reads the observations and the design's summary; makes the two figures.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from twolevel.figures.data_by_subject import data_by_subject
from twolevel.figures.one_subject import one_subject
from twolevel.figures.theme import save
from twolevel.figures.words import Labels
from twolevel.pipeline.files import read_json, read_observations
from twolevel.pipeline.job import run

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the figures of the data."""
    observations = read_observations(snakemake.input.observations)
    subject = read_json(snakemake.input.design)["one_subject"]["subject"]
    labels = Labels.of(observations.columns, snakemake.params.unit)
    data = observations.data
    means = data.groupby("condition", observed=True)["response"].mean()
    means = means.rename("mean").reset_index()
    figures = {
        "one_subject": one_subject(data, subject, means, labels),
        "data_by_subject": data_by_subject(data, means, labels),
    }
    for path in map(Path, snakemake.output.figures):
        save(figures[path.stem], path, title=path.stem.replace("_", " "))


if __name__ == "__main__":
    run(main, snakemake)
