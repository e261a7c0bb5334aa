"""How cost grows with rows, subjects, studies and experiments, as the tables of docs/scaling.md.

    python tests/benchmarks/growth.py [rows | subjects | studies | experiments]

Whole runs of Snakemake, from the last commit: a small one, whose cost is fixed, and three sizes.
Time is that of processors, of all processes together: other work on the machine changes it less
than the time of a clock. What is beyond the fixed cost is fitted by a power of the size; a size
far beyond is read off the straight line through the last two points, for small errors in an
exponent grow with the distance. Steps have seconds of a clock, those that `benchmarks/` has.
"""

import csv
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
CONDITIONS, CHUNK = 5, 1_000_000
SIMULATE = (
    "{subjects: 20, conditions: {t1: 0, t2: 0.5, t3: 1}, grand_mean: 5, sigma_between: 1, "
    "sigma_within: 1"
)


def write(path, subjects, rows):
    """A table in chunks of rows: 5 conditions, 2 groups of subjects, a hundredth missing."""
    writer = None
    for start in range(0, rows, CHUNK):
        generator = np.random.default_rng([rows, start])
        row = np.arange(start, min(start + CHUNK, rows))
        row = row[generator.random(len(row)) > 0.01]
        subject, condition = row * subjects // rows, row % CONDITIONS
        own = np.random.default_rng(1).standard_normal(subjects)[subject]
        columns = {
            "id": pa.array(subject),
            "time": pa.array(condition).cast(pa.string()).dictionary_encode(),
            "group": pa.array(subject % 2).cast(pa.string()).dictionary_encode(),
            "score": pa.array(50 + own + 0.3 * condition + generator.standard_normal(len(row))),
        }
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def run(config, *arguments, table=None):
    """Run the workflow with this config; return its processor seconds, and its steps.

    Of a step, that is seconds of a clock in all its jobs, and the most memory in MB of one.
    """
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(project)], check=True)
        (project / "config/config.yaml").write_text(config)
        if table:
            write(project / "table.parquet", *table)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "snakemake", *arguments]
        subprocess.run(command, cwd=project, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        steps = {}
        for path in (project / "benchmarks").rglob("*.tsv"):
            with path.open() as file:
                (row,) = csv.DictReader(file, delimiter="\t")
            step = [*path.relative_to(project / "benchmarks").parts, ""][1].removesuffix(".tsv")
            seconds, memory = steps.get(step, (0, 0))
            steps[step] = seconds + float(row["s"]), max(memory, float(row["max_rss"]))
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return seconds, steps


def show(title, sizes, runs, unit, ask):
    """Print a dimension's table, how it grows, and what a size beyond would take."""
    print(f"\n| {title} | processor s | most memory of a job, MB | longest steps, s |")
    print("|---:|---:|---:|---|")
    for size, (seconds, steps) in zip(sizes, runs, strict=True):
        longest = sorted(steps, key=steps.get, reverse=True)[:4]
        said = ", ".join(f"`{step}` {steps[step][0]:.1f}" for step in longest) or "–"
        memory = f"{max(m for _, m in steps.values()):,.0f}" if steps else "–"
        print(f"| {size:,} | {seconds:.1f} | {memory} | {said} |")
    print(f"\n| {title} | fixed, s | each further {unit:,}, s | exponent |\n|---|---:|---:|---:|")
    total = [seconds for seconds, _ in runs]
    slope = grows("whole run, processor s", sizes, total, unit)
    for step, (seconds, _) in sorted(runs[-1][1].items()):
        if seconds > 5 and all(step in steps for _, steps in runs):
            grows(f"`{step}`", sizes, [steps[step][0] for _, steps in runs], unit)
    hours = (total[-1] + (ask - sizes[-1]) * slope) / 3600
    print(f"\nFor {ask:,}: {hours:.2f} hours of one core.", flush=True)


def grows(what, sizes, seconds, unit):
    """Print a row of the second table; return the slope of the line through the last two points."""
    slope = (seconds[-1] - seconds[-2]) / (sizes[-1] - sizes[-2])
    size, beyond = np.subtract(sizes[1:], sizes[0]), np.subtract(seconds[1:], seconds[0])
    exponent = "below the noise"
    if beyond.min() > 0:
        exponent = f"{np.polyfit(np.log(size), np.log(beyond), 1)[0]:.2f}"
    print(f"| {what} | {seconds[0]:.1f} | {slope * unit:.2g} | {exponent} |")
    return slope


def large(kind, sizes, shape, unit, ask):
    """Whole runs over one table of each size, from the file to the page."""
    entry = "{data: table.parquet, formula: score ~ time * group, subject: id}"
    config = f"studies:\n  large: {entry}\nreport: {{renderer: pandoc}}\n"
    target = "results/large/report.html"
    runs = [run(config, target, table=shape(size)) for size in sizes]
    show(kind, sizes, runs, unit, ask)


def rows():
    """More rows of the same subjects."""
    sizes = (10_000, 1_000_000, 3_000_000, 9_000_000)
    large("rows", sizes, lambda size: (1_000, size), 10**6, 10**9)


def subjects():
    """More subjects of 5 rows each."""
    sizes = (1_000, 100_000, 350_000, 1_200_000)
    large("subjects", sizes, lambda size: (size, 5 * size), 10**6, 2 * 10**8)


def studies():
    """More studies: building their jobs, then running them."""
    for title, sizes, arguments in (
        ("studies, dry run", (1, 100, 300, 1000), ("-n", "-q", "all")),
        ("studies", (1, 2, 3, 5), ()),
    ):
        runs = []
        for size in sizes:
            names = [f"  study{k}: {{simulate: {SIMULATE}, seed: {k}}}}}" for k in range(size)]
            config = "\n".join(["studies:", *names, "report: {renderer: pandoc}", ""])
            runs.append(run(config, *arguments))
        show(title, sizes, runs, 1, 1000)


def experiments():
    """More experiments of 20 subjects x 3 conditions, complete and with cells missing."""
    for title, missing, most in (("complete", 0, 16), ("a tenth of cells missing", 0.1, 4)):
        sizes = [10_000, *(most * 10**6 // k for k in (4, 2, 1))]
        runs = []
        for size in sizes:
            keys = f"missing: {missing}, experiments: {size}}}"
            config = f"studies:\n  one: {{simulate: {SIMULATE}, seed: 1}}}}\n"
            config += f"replications:\n  many: {SIMULATE}, {keys}\nreport: {{renderer: pandoc}}\n"
            runs.append(run(config, "results/many/report.html"))
        show(f"experiments, {title}", sizes, runs, 10**6, 10**9)


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    dimensions = [rows, subjects, studies, experiments]
    for dimension in dimensions:
        if not sys.argv[1:] or dimension.__name__ in sys.argv[1:]:
            dimension()
