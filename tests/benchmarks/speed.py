"""Speed of replicated experiments and of one large fit, next to numpy's own on the same numbers.

And of one small fit, next to statsmodels' on the same table.

    OMP_NUM_THREADS=1 python tests/benchmarks/speed.py

Every ratio is of two times measured in this run; the best of several repetitions counts.
"""

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import twolevel as tl
from twolevel.experiments.batch import fit_batch
from twolevel.experiments.between_subjects import BetweenSubjects, Group
from twolevel.experiments.blocks import BLOCK
from twolevel.experiments.performance import block_sums
from twolevel.experiments.run import replicate_block
from twolevel.experiments.scenario import Scenario, draw

ROOT = Path(__file__).parents[2]
CONDITIONS = {"t1": 0, "t2": 0.5, "t3": 1}
EXPERIMENTS, BATCH = 100_000, 2_500


def seconds(run, repetitions=5):
    """The time of the fastest of several runs."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def experiments():
    """Draw, fit and test 20 subjects x 3 conditions, complete and with 10 % missing."""
    generator = np.random.default_rng(1)

    def normals():
        for _ in range(EXPERIMENTS // BATCH):
            generator.standard_normal((4, BATCH, 20))

    alone = EXPERIMENTS / seconds(normals)
    print(f"standard_normal alone, 80 numbers an experiment: {alone:,.0f} experiments/s")
    for missing in (0.0, 0.1):
        where = Scenario(20, CONDITIONS, 5, 1, 1, missing=missing)
        for words, use in (
            ("drawn, fitted, with intervals, 3 tests", None),
            ("and summed up", sums),
        ):
            rate = EXPERIMENTS / seconds(lambda where=where, use=use: blocks(where, use))
            print(
                f"{100 * missing:.0f} % missing: {words}: {rate:,.0f} experiments/s, "
                f"{rate / alone:.2f} x standard_normal's rate"
            )
        y, observed = draw(where, BATCH, generator)
        fits = BATCH / seconds(lambda y=y, observed=observed: fit_batch(y, 1, observed), 20)
        print(f"{100 * missing:.0f} % missing: fits alone: {fits:,.0f}/s")


DESIGNS = {
    "own slopes, 18 x 10": Scenario(
        18,
        {"day": range(10)},
        5,
        1,
        1,
        slope=0.2,
        random={"day": 0.3, "correlation": 0.2},
    ),
    "own effects of 3 conditions, 20 x 3 x 5": Scenario(
        20, CONDITIONS, 5, 1, 1, replicates=5, strata={"condition": 0.5}
    ),
    "two groups, 40 x 3, adjusted differences": Scenario(
        40,
        CONDITIONS,
        5,
        1,
        1,
        between=BetweenSubjects({"a": Group(), "b": Group(effect=0.5)}),
        adjust="holm",
    ),
    "two factors and their strata, 20 x 2 x 3": Scenario(
        20, {"f": {"x": 0, "y": 0.5}, "g": CONDITIONS}, 5, 1, 1, strata={"f": 0.3, "g": 0.3}
    ),
    "own slopes of two groups, 40 x 4, 20 % leave": Scenario(
        40,
        {"day": [0, 1, 2, 4]},
        5,
        1,
        1,
        slope=0.2,
        random={"day": 0.3},
        between=BetweenSubjects({"a": Group(), "b": Group(slope=0.4)}, dropout=0.2),
    ),
}


def designs():
    """Draw, fit and test experiments of other designs, all terms by four tests."""
    plain = Scenario(20, CONDITIONS, 5, 1, 1)
    for name, where in {"one factor, 20 x 3": plain, **DESIGNS}.items():
        size = BLOCK if where.plain or not where.between.dropout else BLOCK // 5
        rate = size / seconds(lambda w=where, n=size: replicate_block(w, 0, n, 1, "anova"), 3)
        print(f"{name}: {rate:,.0f} experiments/s")


def blocks(where, use):
    """Run all experiments block by block, as a job of the workflow does."""
    for block in range(EXPERIMENTS // BLOCK):
        table = replicate_block(where, block, BLOCK, 1, "kenward-roger")
        if use:
            use(where, table)


def sums(where, table):
    """Reduce a block to what the performance measures need."""
    block_sums(where, table, "kenward-roger")


def long_table(subjects=1_000_000, conditions=5):
    """Response, subjects and conditions of a large study in long form."""
    generator = np.random.default_rng(1)
    y = generator.normal(size=(subjects, conditions)) + generator.normal(size=(subjects, 1))
    codes = np.repeat(np.arange(subjects), conditions)
    return (y + np.arange(conditions)).ravel(), codes, np.tile(np.arange(conditions), subjects)


def arrays():
    """One fit of 1,000,000 x 5 from arrays."""
    y, subjects, conditions = long_table()
    fit = seconds(lambda: tl.fit_arrays(y, subjects, conditions))
    total = seconds(lambda: np.sum(y))
    print(f"1,000,000 x 5 from arrays: {fit:.3f} s, {fit / total:.0f} x np.sum of the response")


def small():
    """One fit of 20 x 3 from a DataFrame, and statsmodels' of the same table in turn with it."""
    from statsmodels.formula.api import mixedlm

    y, subjects, conditions = long_table(20, 3)
    names = {"id": [f"s{i}" for i in subjects], "time": [f"t{j}" for j in conditions]}
    data = pd.DataFrame({"score": y, **names})

    def ours():
        tl.fit_mixed("score ~ time", data, "id")

    def theirs():
        mixedlm("score ~ time", data, groups=data["id"]).fit()

    fits = [(seconds(ours, 10), seconds(theirs, 1)) for _ in range(30)]
    fit, other = (min(times) for times in zip(*fits, strict=True))
    ratio = other / fit
    print(f"20 x 3 from a DataFrame: {1000 * fit:.2f} ms; statsmodels takes {ratio:.1f} x that")


def frame(dtype):
    """One fit of 1,000,000 x 5 from a table with text for subjects and conditions."""
    y, subjects, conditions = long_table()
    names = np.array([f"s{i:07d}" for i in range(subjects[-1] + 1)], dtype=object)[subjects]
    levels = np.array([f"t{j}" for j in range(conditions[-1] + 1)], dtype=object)[conditions]
    text = {"id": pd.Series(names, dtype=dtype), "time": pd.Series(levels, dtype=dtype)}
    data = pd.DataFrame({"score": y, **text})
    del y, subjects, conditions, names, levels, text
    fit = seconds(lambda: tl.fit_mixed("score ~ time", data, "id"), 3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"1,000,000 x 5 from a DataFrame, {dtype} labels: {fit:.2f} s, peak {peak:.2f} GiB")


def pipeline():
    """The default replication study, from nothing to its page."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("Snakefile", "workflow", "config", "reports", "profiles"):
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, Path(folder) / name)
        command = [sys.executable, "-m", "snakemake", "results/planning/report.html"]
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    (said,) = (line for line in done.stderr.splitlines() if line.startswith("Elapsed"))
    print(f"the default replication study in the pipeline: {said}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        frame(sys.argv[1])
    else:
        experiments()
        designs()
        small()
        arrays()
        for dtype in ("object", "str"):  # each in a process of its own, for its peak
            sys.stdout.flush()
            subprocess.run([sys.executable, __file__, dtype], check=True)
        pipeline()
