"""Powers of the ANOVA of one factor, or number, within subjects: by its closed form."""

from dataclasses import replace

from twolevel.experiments.sizing.exact_test import fewest
from twolevel.experiments.theory import Sampling
from twolevel.text.confidence import LEVEL


def power_of(scenario, level=LEVEL):
    return Sampling(scenario).power(level)


def fewest_subjects(scenario, power, level=LEVEL):
    return fewest(lambda n: power_of(replace(scenario, subjects=n), level) >= power)
