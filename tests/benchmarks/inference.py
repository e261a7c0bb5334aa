"""Time and memory of a large fit with all that is inferred from it.

    python tests/benchmarks/inference.py [subjects]

One process simulates subjects x 5 conditions with 10 % of the cells missing, fits them, and prints
the seconds of each step and the most memory the process ever held.
"""

import resource
import sys
import time

import numpy as np
import pandas as pd

import twolevel as tl


def table(subjects: int, conditions: int = 5, missing: float = 0.1) -> pd.DataFrame:
    """An unbalanced table of numeric subjects and categorical conditions."""
    generator = np.random.default_rng(1)
    kept = generator.random(subjects * conditions) >= missing
    subject = np.repeat(np.arange(subjects), conditions)[kept]
    condition = np.tile(np.arange(conditions), subjects)[kept]
    y = generator.standard_normal(subjects)[subject] + 0.1 * condition
    y += generator.standard_normal(len(y))
    levels = [f"t{j + 1}" for j in range(conditions)]
    time_ = pd.Categorical.from_codes(condition, levels)
    return pd.DataFrame({"id": subject, "time": time_, "score": y})


def main(subjects: int) -> None:
    """Run every step and print what it took."""
    data = table(subjects)
    print(f"{subjects:,} subjects, {len(data):,} rows")
    fit = step("fit (REML)", lambda: tl.fit_mixed("score ~ time", data, "id"))
    step("Kenward-Roger F tests", fit.anova)
    step("Kenward-Roger coefficients", fit.coef_table)
    step("Satterthwaite F tests", lambda: fit.anova("satterthwaite"))
    step("profile intervals", fit.profile)
    step("bootstrap, 10,000 refits", fit.bootstrap)
    step("exact RLRT, 100,000 draws", fit.test_between_variance)
    step("means and contrasts", lambda: (fit.means("time"), fit.contrasts("time")))
    step("leave-one-out influence", fit.influence)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"{'most memory of the process':32}{peak:10.2f} GiB")


def step(name: str, work):
    """Do the work, print its seconds, return its result."""
    start = time.perf_counter()
    result = work()
    print(f"{name:32}{time.perf_counter() - start:10.3f} s", flush=True)
    return result


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
