"""Time of what is inferred from models with own slopes and strata.

    python tests/benchmarks/random_parts.py

Prints seconds of a process's own time, and how many fits a second a batch makes.
"""

import time

import numpy as np
import pandas as pd

import twolevel as tl


def slopes(subjects: int, times: int, own: bool) -> pd.DataFrame:
    """Subjects with intercepts and slopes of their own, at shared times or at own ones."""
    generator = np.random.default_rng(1)
    who = np.repeat(np.arange(subjects), times)
    x = np.tile(np.arange(float(times)), subjects)
    if own:
        x = generator.uniform(0, times, len(who))
    intercept, slope = generator.normal(size=(2, subjects))
    y = intercept[who] + (1 + 0.5 * slope[who]) * x + generator.normal(size=len(who))
    return pd.DataFrame({"id": who, "x": x, "y": y})


def main() -> None:
    """Run every step and print what it took."""
    formula = "y ~ x + (1 + x | id)"
    fit = tl.fit_mixed(formula, slopes(18, 10, own=False))
    for refits in (2_000, 10_000):
        seconds = step(f"bootstrap of 18 x 10, {refits:,} refits", fit.parametric_bootstrap, refits)
        print(f"{'fits a second':44}{refits / seconds:10,.0f}")
    step("profile intervals", fit.profile)
    step("tests of both variances, 10,000 draws", fit.test_variances)
    for subjects in (18, 1_000, 10_000):
        for own in (False, True):
            data, times = slopes(subjects, 10, own), "own" if own else "shared"
            fit = tl.fit_mixed(formula, data)
            step(f"{subjects:,} subjects left out, {times} times", fit.influence)
            fit = tl.fit_mixed("y ~ x + (x || id)", data)
            step(f"both variances of {subjects:,}, {times} times", fit.test_variances)


def step(name: str, work, *args) -> float:
    """Do the work; print its seconds, and return them."""
    start = time.process_time()
    work(*args)
    seconds = time.process_time() - start
    print(f"{name:44}{seconds:10.3f} s", flush=True)
    return seconds


if __name__ == "__main__":
    main()
