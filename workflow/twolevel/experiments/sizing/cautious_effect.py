"""What of an observed effect a plan can count on.

An effect that was found is, on average, larger than the true one, the more so the smaller the study
and the more it mattered that p was small; a plan for it has less power than it says, half of the
time or more. Safeguard power (Perugini, Gallucci & Costantini 2014, Perspectives on Psychological
Science 9) plans for the lower end of the effect's two-sided 60 % interval, which the true effect
exceeds with probability 80 %; of an F test that is the interval of its noncentrality (Steiger 2004,
Psychological Methods 9; see also Anderson, Kelley & Maxwell 2017, Psychological Science 28).
"""

from __future__ import annotations

from math import sqrt

from twolevel.strata.effect_sizes import relative_noncentrality

# The probability that the true effect is larger than the cautious one.
SAFEGUARD = 0.8


def cautious_share(F: float, df_num: float, df_den: float) -> float:
    """The cautious effect as a share of the observed one, from 0 to 1, by the F test of the effect.

    sqrt(lambda_low / (df_num F)): under the noncentrality lambda_low, an F as large as this one has
    the probability 1 - SAFEGUARD; it is 0 where even without an effect that is more probable.
    """
    if F <= 0:
        return 0.0
    return min(1.0, sqrt(relative_noncentrality(F, df_num, df_den, SAFEGUARD)))
