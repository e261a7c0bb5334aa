"""Speed of fits with own slopes and with error strata, next to a random intercept's on the rows.

    OMP_NUM_THREADS=1 python tests/benchmarks/random_fits.py

And statsmodels' time of the smallest table. Every
ratio is of two times measured in this run; the best of several repetitions counts.
"""

import resource
import subprocess
import sys

import numpy as np
import pandas as pd
from speed import seconds

import twolevel as tl


def slopes(subjects, times, own=False, text=False):
    """Subjects with own intercepts and slopes, at the same times or at times of their own."""
    generator = np.random.default_rng(1)
    x = np.tile(np.arange(float(times)), subjects)
    if own:
        x = generator.uniform(0, times, subjects * times)
    of = np.repeat(np.arange(subjects), times)
    b = generator.normal(size=(subjects, 2)) @ [[1, 0.2], [0, 0.5]]
    y = 3 + 0.5 * x + b[of, 0] + b[of, 1] * x + generator.normal(size=len(x))
    names = np.array([f"s{i:07d}" for i in range(subjects)], dtype=object)[of] if text else of
    return pd.DataFrame({"id": names, "x": x, "y": y})


def strata(subjects, levels=(3, 4)):
    """Subjects with effects of their own of two factors, one row a cell."""
    generator = np.random.default_rng(1)
    of, a, b = np.indices((subjects, *levels)).reshape(3, -1)
    own = [generator.normal(size=(subjects, k)) for k in (1, *levels)]
    y = 2 * own[0][of, 0] + own[1][of, a] + own[2][of, b] + generator.normal(size=len(of))
    labels = {"a": [f"a{k}" for k in a], "b": [f"b{k}" for k in b]}
    return pd.DataFrame({"id": of, **labels, "y": y})


def compare(words, data, formula, alone, repetitions=3):
    """Print the time of a fit, and how many times that of a random intercept alone it is."""
    ours = seconds(lambda: tl.fit_mixed(formula, data, "id"), repetitions)
    intercept = seconds(lambda: tl.fit_mixed(alone, data, "id"), repetitions)
    fit = tl.fit_mixed(formula, data, "id")
    tests = seconds(lambda: fit.estimates.likelihood.variance_sums(fit.estimates.best), 1)
    print(
        f"{words}: {1000 * ours:.1f} ms, {ours / intercept:.1f} x a random intercept alone; "
        f"Kenward-Roger's sums {1000 * tests:.1f} ms"
    )


def large():
    """1,000,000 x 5 with own slopes from a table with text labels, and the memory it takes."""
    data = slopes(1_000_000, 5, text=True)
    compare("own slopes, 1,000,000 x 5, text", data, "y ~ x + (1 + x | id)", "y ~ x + (1 | id)", 2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak {peak:.2f} GiB, the table of {data.memory_usage(deep=True).sum() / 2**30:.2f}")


def peers():
    """statsmodels' time of the two-factor table, in turn with ours."""
    data = strata(200)
    import warnings

    from statsmodels.regression.mixed_linear_model import MixedLM

    parts = {"a": "0 + C(a)", "b": "0 + C(b)"}

    def theirs():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its convergence: the time is asked, not the fit
            MixedLM.from_formula("y ~ a * b", data, groups="id", vc_formula=parts).fit()

    ours = seconds(lambda: tl.fit_mixed("y ~ a * b", data, "id"), 10)
    other = seconds(theirs, 1)
    print(f"strata, 200 x 3 x 4: statsmodels takes {other / ours:.0f} x our {1000 * ours:.1f} ms")


if __name__ == "__main__":
    if sys.argv[1:] == ["large"]:
        large()
    else:
        line = ("y ~ x + (1 + x | id)", "y ~ x + (1 | id)")
        compare("own slopes, 100,000 x 10, shared times", slopes(100_000, 10), *line)
        compare("own slopes, 100,000 x 10, own times", slopes(100_000, 10, own=True), *line)
        cells = "y ~ a * b + (1 | id) + (1 | id:a) + (1 | id:b)"
        compare("strata, 200 x 3 x 4", strata(200), cells, "y ~ a * b + (1 | id)", 10)
        sys.stdout.flush()
        # In a process of its own, for its peak.
        subprocess.run([sys.executable, __file__, "large"], check=True)
        peers()
