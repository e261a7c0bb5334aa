"""Blocks of replicated experiments, each with a stream of random numbers of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from twolevel.experiments.like_scenario import AnyScenario

# Experiments in a block: part of the definition of every experiment's data.
BLOCK = 5_000


def stream(scenario: AnyScenario, block: int, seed: int) -> np.random.SeedSequence:
    """The random stream of a block, which does not depend on what else is in a grid."""
    bits = np.array([scenario.sigma_between, scenario.missing]).view(np.uint64)
    place = scenario.subjects, *map(int, bits), scenario.replicates, block
    return np.random.SeedSequence(seed, spawn_key=place)
