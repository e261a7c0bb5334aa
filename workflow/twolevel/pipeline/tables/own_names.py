"""What the file of a study's observations says of its columns: their names in the user's table.

pandas is not imported, so that a job which only looks at the file starts quickly.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from twolevel.files.stage_files import ATTRS

if TYPE_CHECKING:
    import pyarrow as pa

# The key of the names among the attributes of the table.
COLUMNS = "twolevel.columns"


def own_names(schema: pa.Schema) -> dict[str, str]:
    """The user's name of each column that the study uses, by ours."""
    names: dict[str, str] = json.loads(schema.metadata[ATTRS])[COLUMNS]
    return names
