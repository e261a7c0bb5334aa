"""The keys that say how subjects differ by plan: groups, covariates, interactions, who leaves."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from twolevel.experiments.between_subjects import Covariate, Group
from twolevel.pipeline.config.drawn import DrawnConditions, Slope
from twolevel.pipeline.config.keys import Model, Number
from twolevel.pipeline.config.values import text_keys

_NAMES = BeforeValidator(text_keys)
Share = Annotated[Number, Field(ge=0, lt=1)]


class GroupKeys(Model):
    """A group of subjects, and what it has in place of what the others have."""

    size: int = Field(
        default=1, ge=1, description="Its share of the subjects, beside the others'", examples=[20]
    )
    effect: Number = Field(
        default=0.0, description="By how much all its means are larger", examples=[0.5]
    )
    conditions: DrawnConditions | None = Field(
        default=None, description="Its own effects of the conditions", examples=[{"t1": 0, "t2": 1}]
    )
    slope: Slope = None

    @property
    def group(self) -> Group:
        """The group as experiments know it."""
        return Group(self.size, self.effect, self.conditions, self.slope)


class CovariateKeys(Model):
    """A number that subjects differ in."""

    sd: Number = Field(gt=0, description="Its standard deviation", examples=[10])
    slope: Number = Field(
        description="By how much the response rises with each unit of it", examples=[0.02]
    )
    mean: Number = Field(default=0.0, description="Its mean", examples=[40])

    @property
    def covariate(self) -> Covariate:
        """The covariate as experiments know it."""
        return Covariate(self.sd, self.slope, self.mean)


Groups = Annotated[dict[str, GroupKeys], _NAMES]
Covariates = Annotated[dict[str, CovariateKeys], _NAMES]
Interactions = Annotated[dict[str, Annotated[dict[str, Number], _NAMES]], _NAMES]
_Leaving = Share | Annotated[dict[str, Share], _NAMES]
Dropout = Share | Annotated[dict[str, _Leaving], _NAMES]
