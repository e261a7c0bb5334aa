"""What the models of the config share: names, texts, and how YAML's values are called in words."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from twolevel.errors import InputError, quoted
from twolevel.positional import written


def described(value: object) -> str:
    """Say what stands in the config, in plain words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"{str(value).lower()} (yes or no)"
        case int():
            return str(value) if abs(value) < 10**20 else "an integer too large to count with"
        case float() if value.is_integer():
            return f"{value} (a number with a decimal point)"
        case float():
            return f"{value} (a number with a fraction)"
        case str() if _is_number(value):
            return f"{quoted(value)} (text: leave out quotes, and write powers of ten as 1.0e+5)"
        case str():
            return f"{quoted(value)} (text)"
        case Mapping():
            return "a group of keys" if value else "an empty group of keys"
        case list() | tuple():
            return "a list"
    return f"{quoted(value)} ({type(value).__name__})"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def text_keys(value: Any) -> Any:
    """Turn keys that YAML reads as numbers back into text; refuse true, null and dates."""
    if not isinstance(value, Mapping):
        return value
    result: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(key, bool) or not isinstance(key, str | int | float):
            raise InputError(f"YAML reads one name here as {described(key)}; put it in quotes")
        name = str(key)
        if not name.strip() or name != name.strip():
            raise InputError(f"the name {quoted(name)} is empty or has blanks around it; mend it")
        if name in result:
            raise InputError(f"the name {quoted(name)} occurs twice; rename one")
        result[name] = item
    return result


def as_text(value: Any) -> str:
    """Text as it is, numbers as they are written; refuse true, null and groups."""
    match value:
        case str() if value:
            return value
        case int() | float() if not isinstance(value, bool):
            return written(value)
    raise InputError(f"found {described(value)}, expected text or a number; put text in quotes")


Text = Annotated[str, StringConstraints(min_length=1)]

# Sizes of numbers whose sixth powers are numbers too; others want another unit.
SMALLEST, LARGEST = 1e-50, 1e50
# The smallest share of a number that errors are: six of their digits are left beside it.
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
            f"found sigma_within {sigma_within:g} beside {largest:g}, of which computers keep some "
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


class Model(BaseModel):
    """A group of keys: unknown ones are refused, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Page(Model):
    """What all studies say of their page."""

    title: Text | None = Field(
        default=None, description="Title of the report", examples=["Anxiety over time"]
    )
    unit: Text | None = Field(default=None, description="Unit of the response", examples=["ms"])
