"""Large tables, from the file to the page: time and memory of whole runs of Snakemake.

    python tests/benchmarks/scale.py [millions of rows ...]    (5 and 20 unless told otherwise)

For each size, once in one Parquet file and once in shards: 5 conditions in 2 groups of subjects, a
hundredth of the cells missing. Memory is that of all processes together, each shared page once,
looked at twice a second.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
CONDITIONS, SHARD = 5, 1_000_000


def write(folder, rows, pieces):
    """A table of about so many rows, in so many files with subjects of their own."""
    per_piece = rows // pieces // CONDITIONS
    for k in range(pieces):
        generator = np.random.default_rng([rows, k])
        subjects = np.repeat(np.arange(per_piece) + k * per_piece, CONDITIONS)
        random = np.repeat(generator.standard_normal(per_piece), CONDITIONS)
        conditions = np.tile(np.arange(CONDITIONS), per_piece)
        score = 50 + 0.3 * conditions + random + generator.standard_normal(len(subjects))
        kept = generator.random(len(subjects)) > 0.01
        columns = {
            "id": pa.array(subjects[kept]),
            "time": pa.array(conditions[kept]).cast(pa.string()).dictionary_encode(),
            "group": pa.array((subjects % 2)[kept]).cast(pa.string()).dictionary_encode(),
            "score": pa.array(score[kept]),
        }
        pq.write_table(pa.table(columns), folder / f"part-{k:03}.parquet")


def memory(process):
    """Proportional set size of a process and all that it started, in bytes."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue  # ended since it was listed
    return total


def run(project, data):
    """Run Snakemake from the table to the page; return seconds and the most memory in GiB."""
    (project / "config/config.yaml").write_text(
        f"studies:\n  large: {{data: '{data}', formula: score ~ time * group, subject: id}}\n"
    )
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "results/large/report.html"]
    start, most = time.perf_counter(), 0
    with (project / "said").open("w") as said:
        started = psutil.Popen(command, cwd=project, stdout=said, stderr=said)
        while started.poll() is None:
            most = max(most, memory(started))
            time.sleep(0.5)
    if started.returncode:
        sys.exit((project / "said").read_text())
    return time.perf_counter() - start, most / 2**30


def main():
    """Print a line for each size and form."""
    sizes = [float(size) for size in sys.argv[1:]] or [5, 20]
    for size in sizes:
        rows = int(size * 1e6)
        for pieces in (1, max(2, rows // SHARD)):
            with tempfile.TemporaryDirectory() as folder:
                project = Path(folder) / "project"
                table = Path(folder) / "table"
                table.mkdir()
                write(table, rows, pieces)
                subprocess.run(["git", "clone", "-q", str(ROOT), str(project)], check=True)
                seconds, most = run(project, f"{table}/*.parquet")
            files = "1 file" if pieces == 1 else f"{pieces} shards"
            print(f"{rows:,} rows, {files}: {seconds:.1f} s, {most:.2f} GiB", flush=True)


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    main()
