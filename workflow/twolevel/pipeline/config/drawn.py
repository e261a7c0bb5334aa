"""The keys that say what simulated data are drawn from, in one study or in many experiments."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from twolevel.pipeline.config.keys import Number, no_value_twice
from twolevel.pipeline.config.values import as_text, text_keys


def _kind(value: Any) -> str:
    """Tell what a study's conditions are by the first of them."""
    first = next(iter(value.values()), None) if isinstance(value, Mapping) else None
    match first:
        case Mapping():
            return "[factors]"
        case list():
            return "[values]"
    return "[levels]"


def _planned_kind(value: Any) -> str:
    """The same, where they may be names alone."""
    return "[names]" if isinstance(value, list) else _kind(value)


_NAMES = BeforeValidator(text_keys)

# Levels with their effects; factors with these; or a number with its values. The tags, in brackets,
# are not part of a key's place in the config.
_Levels = Annotated[dict[str, Number], _NAMES, Field(min_length=2), Tag("[levels]")]
_Factors = Annotated[dict[str, Annotated[dict[str, Number], _NAMES]], _NAMES, Tag("[factors]")]
_Values = Annotated[dict[str, list[Number]], _NAMES, Tag("[values]")]
DrawnConditions = Annotated[_Levels | _Factors | _Values, Discriminator(_kind)]
# Or names alone, whose effects are said otherwise.
_Names = Annotated[
    list[Annotated[str, BeforeValidator(as_text)]],
    AfterValidator(no_value_twice),
    Field(min_length=2),
    Tag("[names]"),
]
PlannedConditions = Annotated[_Levels | _Factors | _Values | _Names, Discriminator(_planned_kind)]
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
