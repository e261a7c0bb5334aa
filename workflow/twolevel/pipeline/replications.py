"""The config of a replication study: many experiments at each point of a grid of designs."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from twolevel.errors import InputError, listed
from twolevel.pipeline.keys import Page, StudyName, text_keys


def _as_list(value: Any) -> Any:
    """Let one value stand for a list of one."""
    return value if isinstance(value, list) else [value]


def _no_value_twice(values: list) -> list:
    twice = [value for k, value in enumerate(values) if value in values[:k]]
    if twice:
        raise InputError(f"{twice[0]} stands twice in the list; remove one")
    return values


def _axis(kind: str, item: Any) -> Any:
    """A value, or a list of values, that a grid has a point for each of."""
    one = {"type": kind}
    schema = {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
    return Annotated[
        list[item],
        BeforeValidator(_as_list),
        AfterValidator(_no_value_twice),
        Field(min_length=1),
        WithJsonSchema(schema),
    ]


Subjects = Annotated[int, Field(ge=2)]
Sigma = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, lt=1)]


class Replication(Page):
    """A study of many simulated experiments, at every point of a grid of designs."""

    like: StudyName | None = Field(
        default=None,
        description="The study whose design and estimates hold for all keys left out",
        examples=["anxiety"],
    )
    subjects: _axis("integer", Subjects) | None = Field(
        default=None, description="Number of subjects; a list makes a grid", examples=["[8, 20]"]
    )
    conditions: Annotated[dict[str, float], BeforeValidator(text_keys)] | None = Field(
        default=None,
        min_length=2,
        description="Each condition with its effect, in the response's unit",
        examples=[{"t1": 0, "t2": 0.5, "t3": 1}],
    )
    grand_mean: float | None = Field(
        default=None, description="Population grand mean", examples=[5]
    )
    sigma_between: _axis("number", Sigma) | None = Field(
        default=None,
        description="Standard deviation of the random effects; a list makes a grid",
        examples=["[0, 0.5, 1]"],
    )
    sigma_within: float | None = Field(
        default=None,
        gt=0,
        description="Standard deviation of the within-subject errors",
        examples=[1],
    )
    replicates: int | None = Field(
        default=None, ge=1, description="Observations per subject and condition", examples=[1]
    )
    missing: _axis("number", Share) | None = Field(
        default=None,
        description="Share of cells missing completely at random; a list makes a grid",
        examples=["[0.0, 0.1]"],
    )
    experiments: int = Field(
        default=10_000, ge=2, le=10**12, description="Experiments at each point", examples=[10000]
    )
    seed: int = Field(
        default=1, ge=0, le=2**63 - 1, description="Seed of the random numbers", examples=[1]
    )
    test: Literal["kenward-roger", "satterthwaite", "asymptotic", "anova"] = Field(
        default="kenward-roger",
        description="The test whose power is asked for, and whose intervals are looked at",
        examples=["kenward-roger"],
    )
    keep_experiments: bool = Field(
        default=False, description="Whether to keep the table of all experiments", examples=[True]
    )

    @model_validator(mode="after")
    def _is_complete(self) -> "Replication":
        needed = ("subjects", "conditions", "grand_mean", "sigma_between", "sigma_within")
        lacking = [name for name in needed if getattr(self, name) is None]
        if lacking and self.like is None:
            raise InputError(
                f"found no {listed(lacking)}; expected these keys, or like: with the name of a "
                "study that they are taken from"
            )
        return self
