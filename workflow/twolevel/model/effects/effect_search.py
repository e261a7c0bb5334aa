"""The maximum of the likelihood over Lambda, boundary included.

The search begins where lme4's does, every Psi a multiple of the identity, with the multiple that is
best of a few, and goes on by Newton's method in Lambda. That is stationary wherever a column of
Lambda is 0; whether such a point is a minimum says the derivative by Psi itself: with Gamma that
derivative (q, q) of a term, no v v' may be added to Psi at a gain, so that Gamma has to be positive
semidefinite (the Kuhn-Tucker conditions of Psi >= 0). Where it is not, the search goes on from
there in the direction of a gain.

Where subjects' R differ, every evaluation costs all of them. Then the search begins where some of
the subjects have their maximum, which is near.

The likelihood of few subjects can have two maxima, one of them at a boundary. So from a maximum in
whose likelihood a zero on Lambda's diagonal is not far behind, the search begins once more at that
zero, and from one with a zero, away from it; and where a multiple of what was found is better, at
that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twolevel.model.effects.effect_criterion import Evaluation, evaluate, of_sets
from twolevel.model.effects.effect_sums import EffectSums, Sums
from twolevel.model.effects.newton import minimise
from twolevel.model.effects.relative_covariance import RelativeCovariance, triangle
from twolevel.model.likelihood import Derivatives
from twolevel.numeric.small_matrices import sandwich
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
# Multiples of a maximum's Lambda that may lie on the slope of a better one.
_FACTORS = (1 / 3, 3.0)
# An entry of Lambda that Newton's method brings this close to 0 is on its way there.
_ZERO = 1e-5
# By how much of its own scale a derivative must be negative to promise a gain.
_GAIN = 1e-7
_MOST_ROUNDS = 10
_HIDDEN = 1e300
NO_RESIDUALS = (
    "the residuals within subjects are all 0, so sigma_within is 0 and the relative variances have "
    "no estimate; expected observations that vary beyond what the fixed effects and the random "
    "part explain; write a smaller random part into the formula, as in + (1 | id)"
)
# Distinct R that tell well enough where the maximum is, for the search to go on with all.
_ENOUGH = 1_000


def maximise(
    sums: EffectSums, C: np.ndarray, layout: RelativeCovariance, method: Method
) -> np.ndarray:
    """theta (S, B) where the likelihoods of B data sets are largest.

    Raises InputError where the likelihood grows without bound, as sigma_w is 0.
    """
    search = EffectSearch(sums, C, layout, method)
    theta = search.minimum(search.start())
    if unbounded(theta).any():
        raise InputError(NO_RESIDUALS)
    return layout.canonical(theta, C)


def unbounded(theta: np.ndarray) -> np.ndarray:
    """Whether the likelihood grows without bound (B,), by where the search for theta ended."""
    return (np.abs(theta) > LARGEST / 10).any(axis=0)


@dataclass(frozen=True, eq=False)
class EffectSearch:
    """The deviances of B data sets as functions of theta (S, B), in the directions C.

    evaluate is `effect_criterion.evaluate`, or what gives the same of these data sets.
    """

    sums: Sums
    C: np.ndarray
    layout: RelativeCovariance
    method: Method
    evaluate: Callable[..., Evaluation] = evaluate

    def start(self) -> np.ndarray:
        """theta (S, B) to begin with: where some of the subjects have their maximum, if of many."""
        step = self.C.shape[-1] // _ENOUGH
        if step > 1 and isinstance(self.sums, EffectSums):
            some = EffectSearch(
                self.sums.of_some(step), self.C[..., ::step], self.layout, self.method
            )
            # In some subjects alone, columns of the model may depend on each other.
            with np.errstate(divide="ignore", invalid="ignore"):
                theta = some.start()
                regular = np.isfinite(some.value(theta)).all()
            if regular and not unbounded(theta := some.minimum(theta)).any():
                return theta
        identity = np.repeat(self.layout.start()[:, None], self.sums.size, axis=1)
        levels = [self.value(c * identity) for c in SCALES]
        return identity * SCALES[np.argmin(levels, axis=0)]

    def value(self, theta: np.ndarray, which: np.ndarray | None = None) -> np.ndarray:
        """The deviances (b,) of all data sets, or of some."""
        sums, C = self.sums, self.C
        if which is not None:
            sums, C = sums.of_sets(which), of_sets(C, which)
        now = self.evaluate(sums, C, self.layout.psi(theta), self.method, derivatives=False)
        return deviance(now, sums.degrees_of_freedom(self.method))

    def function(self, theta: np.ndarray, which: np.ndarray) -> tuple:
        """The same for some data sets (b,), with derivatives by theta."""
        in_psi = self._in_psi(theta, which)
        return in_theta(self.layout, theta, *in_psi)

    def minimum(self, theta: np.ndarray) -> np.ndarray:
        """The theta (S, B) of the least deviances, from a start."""
        theta = minimise(self.function, theta, LARGEST)
        level, every = self.value(theta), np.arange(theta.shape[1])

        def go_on(start: np.ndarray, which: np.ndarray) -> None:
            """Search for those data sets (b,) from start (S, b), and keep what is better."""
            trial = minimise(lambda at, k: self.function(at, which[k]), start, LARGEST)
            now = self.value(trial, which)
            better = now < level[which]
            theta[:, which[better]], level[which[better]] = trial[:, better], now[better]

        for _ in range(_MOST_ROUNDS):
            gain, found = self._gains(theta[:, every], every)
            if len(found) == 0:
                break
            every = every[found]
            go_on(gain[:, found], every)
        for k in np.flatnonzero(self.layout.diagonal).tolist():
            rival = self._other_side(theta, k)
            which = np.flatnonzero(self.value(rival) < level + _NEAR)
            if len(which):
                go_on(rival[:, which], which)
        for factor in _FACTORS:
            which = np.flatnonzero(self.value(factor * theta) < level)
            if len(which):
                go_on(factor * theta[:, which], which)
        return theta

    def flat(self, theta: np.ndarray) -> np.ndarray:
        """Whether the deviance does not depend on the variances of each term (terms, B)."""
        at = self.value(theta)
        flat = []
        for part in self.layout.parts:
            changed = np.zeros(len(at))
            for factor in (0.0, 4.0):
                other = theta.copy()
                other[part] *= factor
                changed = np.maximum(changed, np.abs(self.value(other) - at))
            flat.append(changed <= _FLAT * self.sums.nobs)
        return np.stack(flat)

    def _in_psi(
        self, theta: np.ndarray, which: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        sums = self.sums.of_sets(which)
        C, psi = of_sets(self.C, which), self.layout.psi(theta)
        now = self.evaluate(sums, C, psi, self.method)
        return deviance_derivatives(now, sums.degrees_of_freedom(self.method))

    def _gains(self, theta: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """theta (S, b), with v v' added to a Psi where that is a gain, and where it is (k,)."""
        layout, new = self.layout, theta.copy()
        level, slopes, _ = self._in_psi(theta, which)
        gammas = layout.matrices(np.where(layout.diagonal[:, None], slopes, 0.5 * slopes))
        better = np.zeros(len(which), dtype=bool)
        for t, gamma in enumerate(gammas):
            values, axes = np.linalg.eigh(np.moveaxis(gamma, -1, 0))
            least = values[:, 0]
            promising = (least < -_GAIN * np.abs(values).max(axis=1)) & (least < -_GAIN)
            for step in _STEPS:
                left = np.flatnonzero(promising & ~better)
                if len(left) == 0:
                    break
                roots = list(layout.factors(theta[:, left]))
                v = step * axes[left, :, 0].T
                roots[t] = triangle(np.concatenate([roots[t], v[:, None]], axis=1))
                trial = layout.entries(roots)
                gain = level[left] - self.value(trial, which[left])
                found = gain > 1e-9 * (1 + np.abs(level[left]))
                new[:, left[found]] = trial[:, found]
                better[left[found]] = True
        return new, np.flatnonzero(better)

    def _other_side(self, theta: np.ndarray, k: int) -> np.ndarray:
        """theta (S, B) with a diagonal entry of a Lambda at 0, or the best of a few if it was."""
        rival = theta.copy()
        zero = np.flatnonzero(np.abs(theta[k]) < _ZERO)
        rival[k] = 0.0
        if len(zero):
            trials = np.repeat(rival[None, :, zero], len(SCALES), axis=0)
            trials[:, k] = SCALES[:, None]
            levels = [self.value(trial, zero) for trial in trials]
            rival[k, zero] = SCALES[np.argmin(levels, axis=0)]
        return rival


def deviance(now: Evaluation, f: np.ndarray | int) -> np.ndarray:
    """The profiled deviance d (B,), with f degrees of freedom.

    Very large where rounding leaves nothing of R, or less: what it hides is no gain.
    """
    rss = np.where(now.rss > 0, now.rss, _HIDDEN)
    return f * np.log(2 * np.pi * rss / f) + f + now.logs


def deviance_derivatives(
    now: Evaluation, f: np.ndarray | int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The deviance and its derivatives (S, B) and (S, S, B) by psi."""
    relative = now.rss_slopes / now.rss
    slopes = f * relative + now.log_slopes
    curvature = f * (now.rss_curvature / now.rss - relative[:, None] * relative)
    return deviance(now, f), slopes, curvature + now.log_curvature


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
    hessian = sandwich(np.swapaxes(jacobian, 0, 1), curvature)
    return value, gradient, hessian + np.einsum("skl,sb->klb", layout.forms, slopes)


def derivatives(
    layout: RelativeCovariance, theta: np.ndarray, now: Evaluation, f: int | np.ndarray
) -> Derivatives:
    """How the likelihoods of B data sets bend in theta (S, B), where they are evaluated.

    A column of Lambda whose diagonal is 0 is 0, and its entries are held.
    """
    jacobian = layout.jacobian(theta)
    held = [
        (np.einsum("iib->ib", factor) == 0)[np.triu_indices(len(factor))[0]]
        for factor in layout.factors(theta)
    ]
    return Derivatives(
        curvature=in_theta(layout, theta, *deviance_derivatives(now, f))[2],
        rss_slopes=np.einsum("skb,sb->kb", jacobian, now.rss_slopes),
        xx_slopes=np.einsum("skb,sijb->kijb", jacobian, now.xx_slopes),
        held=np.concatenate(held),
    )
