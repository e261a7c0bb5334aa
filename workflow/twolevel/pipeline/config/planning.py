"""The keys in which planners say what they expect, and what they ask for."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from twolevel.experiments.sizing.standardised_effect import EffectSize
from twolevel.pipeline.config.keys import Model, Number
from twolevel.pipeline.config.values import text_keys


class Effect(Model):
    """The size of the conditions' effect, in units of the total standard deviation."""

    d: Number | None = Field(
        default=None, description="Largest difference of two means", examples=[0.5]
    )
    f: Number | None = Field(
        default=None, description="Standard deviation of the conditions' means", examples=[0.25]
    )
    eta_squared: Number | None = Field(
        default=None, description="Share of the variance that conditions make", examples=[0.06]
    )
    pattern: (
        Literal["linear", "one differs"]
        | list[Number]
        | Annotated[dict[str, Number], BeforeValidator(text_keys)]
    ) = Field(
        default="linear",
        description="How the means lie: as one of two words says, or as weights",
        examples=["linear"],
    )

    @property
    def size(self) -> EffectSize:
        """What the library makes effects of."""
        return EffectSize(**self.model_dump())

    @model_validator(mode="after")
    def _is_a_size(self) -> "Effect":
        assert self.size
        return self


class Cost(Model):
    """What a subject and each of its observations cost, in any unit."""

    subject: Number = Field(gt=0, description="Cost of a subject", examples=[30])
    trial: Number = Field(gt=0, description="Cost of each of its observations", examples=[0.5])
