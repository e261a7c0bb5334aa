"""What the models of the config share: names, texts, and how YAML's values are called in words."""

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from twolevel.text.errors import InputError, quoted

Text = Annotated[str, StringConstraints(min_length=1)]

# Sizes of numbers whose sixth powers are numbers too; others want another unit.
SMALLEST, LARGEST = 1e-50, 1e50
# The smallest share of a number that errors are: six of their digits are left next to it.
FINEST = 1e-10


def _of_usual_size(value: float) -> float:
    if value and not SMALLEST <= abs(value) <= LARGEST:
        raise InputError(
            f"found {value}, expected 0 or a number from {SMALLEST:g} to {LARGEST:g}, with either "
            "sign; choose another unit"
        )
    return value


Number = Annotated[float, AfterValidator(_of_usual_size)]


def refuse_lost_errors(sigma_within: float, others: Iterable[float]) -> None:
    """Refuse errors so small that the numbers they are added to hardly have digits for them."""
    largest = max(map(abs, others), default=0)
    if sigma_within < FINEST * largest:
        raise InputError(
            f"found sigma_within {sigma_within:g} with {largest:g}, of which computers keep some "
            f"16 digits; expected at least {FINEST:g} of it"
        )


def _usable_name(name: str) -> str:
    """Refuse names that a file of the site has, and those that Snakemake takes for a loop."""
    if name == "index":
        raise InputError('the name "index" is that of the page over all studies; take another')
    if re.fullmatch(r"(.+?)\1{9,}", name):
        raise InputError(f"the name {quoted(name)} repeats itself ten times; take another")
    return name


StudyName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60),
    AfterValidator(_usable_name),
]


def no_value_twice(values: list) -> list:
    """Refuse a list in which a value stands twice."""
    twice = [value for k, value in enumerate(values) if value in values[:k]]
    if twice:
        raise InputError(f"{twice[0]} stands twice in the list; remove one")
    return values


class Model(BaseModel):
    """A group of keys: unknown ones are refused, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Page(Model):
    """What all studies say of their page."""

    title: Text | None = Field(
        default=None, description="Title of the report", examples=["Anxiety over time"]
    )
    unit: Text | None = Field(default=None, description="Unit of the response", examples=["ms"])
