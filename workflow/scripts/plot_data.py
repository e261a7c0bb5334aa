"""Draw the data: every subject's, and which cells hold none.

Reads the observations and the design's summary; makes the two figures.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from twolevel.figures.of_study.data_by_subject import data_by_subject
from twolevel.figures.of_study.missingness import missingness
from twolevel.figures.theme import save
from twolevel.figures.words import Labels
from twolevel.files.stage_files import read_json
from twolevel.pipeline.job import run
from twolevel.pipeline.tables.stored import read_observations

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Write the figures of the data."""
    observations = read_observations(snakemake.input.observations)
    design = read_json(snakemake.input.design)
    labels = Labels.of(observations.columns, snakemake.params.unit)
    data = observations.data
    means = data.groupby("condition", observed=True)["response"].mean()
    means = means.rename("mean").reset_index()
    figures = {
        "data_by_subject": data_by_subject(data, means, labels),
        "missingness": missingness(*patterns(design), labels, **others(design)),
    }
    for path in map(Path, snakemake.output.figures):
        save(figures[path.stem], path, title=path.stem.replace("_", " "))


def patterns(design: dict) -> tuple[pd.DataFrame, pd.Series]:
    """The most frequent patterns of cells, and the subjects seen under each condition."""
    seen = pd.Series(list(design["seen_under"].values()), design["conditions"])
    found = design["patterns"]
    table = pd.DataFrame(found["counts"], columns=design["conditions"])
    return table.assign(n_subjects=found["n_subjects"]), seen


def others(design: dict) -> dict:
    """How many patterns are not listed, and of how many subjects."""
    return {key: design["patterns"][key] for key in ("rest", "rest_subjects")}


if __name__ == "__main__":
    run(main, snakemake)
