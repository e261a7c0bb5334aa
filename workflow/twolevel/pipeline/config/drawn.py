"""The keys that say what simulated data are drawn from, in one study or in many experiments."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag

from twolevel.pipeline.config.keys import Number
from twolevel.pipeline.config.values import text_keys


def _kind(value: Any) -> str:
    """Tell what a study's conditions are by the first of them."""
    first = next(iter(value.values()), None) if isinstance(value, Mapping) else None
    match first:
        case Mapping():
            return "[factors]"
        case list():
            return "[values]"
    return "[levels]"


_NAMES = BeforeValidator(text_keys)

# Levels with their effects; factors with these; or a number with its values. The tags, in brackets,
# are not part of a key's place in the config.
DrawnConditions = Annotated[
    Annotated[dict[str, Number], _NAMES, Field(min_length=2), Tag("[levels]")]
    | Annotated[dict[str, Annotated[dict[str, Number], _NAMES]], _NAMES, Tag("[factors]")]
    | Annotated[dict[str, list[Number]], _NAMES, Tag("[values]")],
    Discriminator(_kind),
]
Slope = Annotated[
    Number | None,
    Field(description="By how much the mean rises with each unit of a number", examples=[0.5]),
]
OwnSlopes = Annotated[
    Annotated[dict[str, Number], _NAMES] | None,
    Field(
        description="Standard deviations of intercepts and slopes, and their correlation",
        examples=[{"intercept": 1, "day": 0.3, "correlation": 0.2}],
    ),
]
Strata = Annotated[dict[str, Annotated[Number, Field(ge=0)]], _NAMES]
