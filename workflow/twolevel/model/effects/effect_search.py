"""The maximum of the likelihood over Lambda, boundary included.

The search begins where lme4's does, every Psi a multiple of the identity, with the multiple that is
best of a few, and goes on by Newton's method in Lambda. That is stationary wherever a column of
Lambda is 0; whether such a point is a minimum says the derivative by Psi itself: with Gamma that
derivative (q, q) of a term, no v v' may be added to Psi at a gain, so that Gamma has to be positive
semidefinite (the Kuhn-Tucker conditions of Psi >= 0). Where it is not, the search goes on from
there in the direction of a gain.

The likelihood of few subjects can have two maxima, one of them at a boundary. So from a maximum in
whose likelihood a zero on Lambda's diagonal is not far behind, the search begins once more at that
zero, and from one with a zero, away from it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from twolevel.model.effects.effect_criterion import Evaluation, evaluate
from twolevel.model.effects.effect_sums import EffectSums
from twolevel.model.effects.newton import minimise
from twolevel.model.effects.relative_covariance import RelativeCovariance, triangle
from twolevel.text.errors import InputError
from twolevel.text.methods import Method

# Multiples of the identity that the search may begin at.
SCALES = 4.0 ** np.arange(-4, 5)
# Lengths of v that are tried where a derivative promises a gain.
_STEPS = 4.0 ** np.arange(1, -7, -1)
# The theta above which sigma_w counts as 0, as in `criterion`.
LARGEST = 10**6.5
# By how much the deviance may change, for each observation, where it does not depend on a variance.
_FLAT = 1e-9
# How far behind in deviance another start may be, to be tried.
_NEAR = 10.0
# An entry of Lambda that Newton's method brings this close to 0 is on its way there.
_ZERO = 1e-5
# By how much of its own scale a derivative must be negative to promise a gain.
_GAIN = 1e-7
_MOST_ROUNDS = 10

# The deviances (B,) at theta (S, B), up to a constant.
Value = Callable[[np.ndarray], np.ndarray]


def maximise(
    sums: EffectSums, C: np.ndarray, layout: RelativeCovariance, method: Method
) -> np.ndarray:
    """theta (S, B) where the likelihoods of B data sets are largest.

    Raises InputError where the likelihood grows without bound, as sigma_w is 0, or does not depend
    on a variance at all.
    """
    f = sums.nobs - (sums.n_coefficients if method == "REML" else 0)

    def value(theta: np.ndarray) -> np.ndarray:
        now = evaluate(sums, C, layout.psi(theta), method, derivatives=False)
        return f * np.log(now.rss) + now.logs

    def function(theta: np.ndarray, which: np.ndarray) -> tuple:
        now = evaluate(sums.of_sets(which), C, layout.psi(theta), method)
        return in_theta(layout, theta, *deviance_derivatives(now, f))

    start = np.repeat(layout.start()[:, None], sums.size, axis=1)
    theta = start * SCALES[np.stack([value(c * start) for c in SCALES]).argmin(axis=0)]
    _refuse_flat(value, theta, layout, sums.nobs)
    theta = minimise(function, theta, LARGEST)
    level = value(theta)

    def go_on(start: np.ndarray, which: np.ndarray) -> None:
        """Search for those data sets (b,) from start (S, b), and keep what is better."""

        def of_these(at: np.ndarray, k: np.ndarray) -> tuple:
            return function(at, which[k])

        trial = theta.copy()
        trial[:, which] = minimise(of_these, start, LARGEST)
        now = value(trial)
        better = now < level
        theta[:, better], level[better] = trial[:, better], now[better]

    for _ in range(_MOST_ROUNDS):
        slopes = deviance_derivatives(evaluate(sums, C, layout.psi(theta), method), f)[1]
        gain = _gains(layout, theta, slopes, value, level)
        which = np.flatnonzero((gain != theta).any(axis=0))
        if len(which) == 0:
            break
        go_on(gain[:, which], which)
    for k in np.flatnonzero(layout.diagonal).tolist():
        rival = _other_side(theta, k, value)
        which = np.flatnonzero(value(rival) < level + _NEAR)
        if len(which):
            go_on(rival[:, which], which)
    if (np.abs(theta) > LARGEST / 10).any():
        raise InputError(
            "the residuals within subjects are all 0, so sigma_within is 0 and the relative "
            "variances have no estimate; expected observations that vary beyond what the fixed "
            "effects and the random part explain; take terms out of the random part"
        )
    return theta


def deviance_derivatives(now: Evaluation, f: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The profiled deviance d (B,) and its derivatives (S, B) and (S, S, B) by psi."""
    value = f * np.log(2 * np.pi * now.rss / f) + f + now.logs
    relative = now.rss_slopes / now.rss
    slopes = f * relative + now.log_slopes
    curvature = f * (now.rss_curvature / now.rss - relative[:, None] * relative)
    return value, slopes, curvature + now.log_curvature


def in_theta(
    layout: RelativeCovariance,
    theta: np.ndarray,
    value: np.ndarray,
    slopes: np.ndarray,
    curvature: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A function's value with its derivatives by theta (S, B), from those by psi."""
    jacobian = layout.jacobian(theta)
    gradient = np.einsum("skb,sb->kb", jacobian, slopes)
    hessian = np.einsum("skb,stb,tlb->klb", jacobian, curvature, jacobian, optimize=True)
    return value, gradient, hessian + np.einsum("skl,sb->klb", layout.forms, slopes)


def _refuse_flat(value: Value, theta: np.ndarray, layout: RelativeCovariance, nobs: int) -> None:
    """Refuse a term on whose variances the likelihood of no data set depends."""
    at = value(theta)
    for part, each in zip(layout.parts, layout.terms, strict=True):
        changed = []
        for factor in (0.0, 4.0):
            other = theta.copy()
            other[part] *= factor
            changed.append(np.abs(value(other) - at).max())
        if max(changed) <= _FLAT * nobs:
            raise InputError(
                f"random part: the data say nothing of the variances of {each.term}, as the fixed "
                "effects or the other random effects leave nothing for it to explain; take it out"
            )


def _gains(
    layout: RelativeCovariance,
    theta: np.ndarray,
    slopes: np.ndarray,
    value: Value,
    level: np.ndarray,
) -> np.ndarray:
    """theta (S, B), with v v' added to a Psi where that is a gain."""
    new, found = theta.copy(), np.full(theta.shape[1], False)
    gammas = layout.matrices(np.where(layout.diagonal[:, None], slopes, 0.5 * slopes))
    factors = list(layout.factors(theta))
    for t, gamma in enumerate(gammas):
        values, axes = np.linalg.eigh(np.moveaxis(gamma, -1, 0))
        least = values[:, 0]
        promising = np.flatnonzero(~found & (least < -_GAIN * np.abs(values).max(axis=1)))
        promising = promising[least[promising] < -_GAIN]
        for b in promising:
            v = axes[b, :, 0]
            for step in _STEPS:
                roots = [factor[..., b] for factor in factors]
                roots[t] = triangle(np.column_stack([roots[t], step * v]))
                trial = theta.copy()
                trial[:, b] = layout.entries(roots)
                if value(trial)[b] < level[b] - 1e-9 * (1 + abs(level[b])):
                    new[:, b], found[b] = trial[:, b], True
                    break
    return new


def _other_side(theta: np.ndarray, k: int, value: Value) -> np.ndarray:
    """theta (S, B) with a diagonal entry of a Lambda at 0, or the best of a few where it was 0."""
    rival = theta.copy()
    zero = np.abs(theta[k]) < _ZERO
    rival[k] = 0.0
    if zero.any():
        trials = np.repeat(rival[None], len(SCALES), axis=0)
        trials[:, k] = SCALES[:, None]
        best = np.stack([value(trial) for trial in trials]).argmin(axis=0)
        rival[k] = np.where(zero, SCALES[best], 0.0)
    return rival
