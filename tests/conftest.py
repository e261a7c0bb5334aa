"""Properties that do not say how many examples they need are tried less often at a desk."""

import os

# Before numpy is imported. Processors are for the processes that run tests: threads that share one
# wait for each other longer than it takes to compute with matrices as small as these.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from examples import AT_A_DESK, FULL
from hypothesis import settings

settings.register_profile("desk", max_examples=100 // AT_A_DESK, deadline=None)
if not FULL:
    settings.load_profile("desk")

# Those that wait for a cluster, and the longest, so that other processes do the rest meanwhile.
FIRST = ("test_slurm", "test_trouble", "test_s3")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem not in FIRST)
