"""Small tables, loaded as one is that is too large for memory."""

import pandas as pd
import pytest

from twolevel.pipeline.tables import observations, stored
from twolevel.pipeline.tables.observations import Loaded, load_table
from twolevel.pipeline.tables.stored import Observations, read_observations


def load_in_parts(folder, part_rows=5, **keys) -> tuple[Observations, Loaded]:
    """The observations as the next stage reads them, put together, and what was loaded.

    Of Parquet, a part has so many rows; what is made lies in the folder.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in (observations, stored):
            patch.setattr(module, "IN_MEMORY", -1)
        patch.setattr(observations, "PART", part_rows)
        loaded = load_table(scratch=folder, **keys)
        loaded.write(folder / "o.parquet")
        read = read_observations(folder / "o.parquet")
    whole = pd.concat(read.shards.parts(), ignore_index=True)
    subjects = pd.Categorical(read.shards.subjects[whole["subject"]])
    return Observations(whole.assign(subject=subjects), read.columns), loaded
