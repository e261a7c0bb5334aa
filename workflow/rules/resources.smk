# What a job asks of a cluster, by its size. Without a cluster it changes nothing.
from functools import cache
from math import ceil

# Of each rule: megabytes, and how many more for every million rows up to ten, and beyond, where
# observations are held in parts; seconds, and how many more for every million rows. In place of
# millions of rows, `replicate` has those of random numbers, what follows it those of experiments,
# and `find_subjects` designs. From benchmarks/ of the default run, of simulated studies of 0.3, 3, 9
# and 30 million rows, of tables of 0.3 and 3 million, and of 2 million experiments, on one core.
MEASURED = {
    "simulate_data": (130, 200, 200, 1, 1),
    "load_data": (140, 200, 20, 1, 6),
    "describe_design": (170, 350, 20, 1, 6),
    "fit_subjects": (170, 350, 20, 1, 6),
    "fit_hierarchical": (130, 160, 20, 1, 4),
    "fit_mixed": (240, 360, 20, 3, 27),
    "check_mixed": (240, 360, 20, 3, 27),
    "partition_errors": (170, 370, 20, 1, 18),
    "compare_fits": (120, 0, 0, 1, 0),
    "plot_study": (190, 270, 20, 5, 6),
    "replicate": (170, 0, 0, 2, 0.1),
    "measure_performance": (150, 30, 30, 2, 2),
    "find_subjects": (220, 0, 0, 5, 30),
    "gather_experiments": (140, 20, 0, 2, 25),
}
# Snakemake runs alongside the script, in the job and in its step: 180 MB each, and a few seconds that
# may be many where Python lies on a network's disk.
BESIDE_MB, BESIDE_SECONDS = 400, 60
# For slower machines, and for peaks that a benchmark missed.
MARGIN = 2


@cache
def rows_of(study):
    """The rows of a study's table, or an estimate of them."""
    if study in REAL:
        return TableFiles(STUDIES[study].data, f"study {study}", {}).estimated_rows()
    drawn = STUDIES[study].simulate
    return drawn.subjects * len(drawn.conditions) * drawn.replicates


def millions_of(wildcards):
    """The size of a job: rows of its study, numbers of its slice, or experiments, in millions."""
    named = dict(wildcards.items())
    if "first" in named:
        return Slice.of_path(SLICE.format(**named)).numbers(per_subject(named["replication"])) / 1e6
    if "replication" in named:
        return experiments_of(wildcards) / 1e6
    return rows_of(*named.values()) / 1e6


def number_of_designs(wildcards):
    """The size of a job that looks at each design of a grid."""
    return len(designs_of(wildcards))


def asks(rule, size_of=millions_of):
    """The resources of a rule's jobs; twice as much each time that one is tried again."""
    megabytes, more, beyond, seconds, more_seconds = MEASURED[rule]

    def mem_mb(wildcards, attempt):
        size = size_of(wildcards)
        needed = megabytes + more * min(size, 10) + beyond * max(size - 10, 0)
        return round(BESIDE_MB + MARGIN * needed) * 2 ** (attempt - 1)

    def runtime(wildcards, attempt):
        needed = seconds + more_seconds * size_of(wildcards)
        return ceil((BESIDE_SECONDS + MARGIN * needed) / 60) * 2 ** (attempt - 1)

    return {"mem_mb": mem_mb, "runtime": runtime}


# Snakemake keeps a rule's jobs beside itself or sends them to a cluster, all of them. Drawing takes
# seconds unless a study is large; then figures belong to the cluster's job of their study.
LARGEST = max(map(rows_of, STUDIES), default=0) if ASKED["table"] is None else 0
DRAWN_IN = "study" if LARGEST > 1_000_000 else None
