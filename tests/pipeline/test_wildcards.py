"""Which names a wildcard stands for."""

import re
import time

from hypothesis import given
from hypothesis import strategies as st

from twolevel.pipeline.wildcards import any_of

NAMES = st.text("ab0_-", min_size=1, max_size=5)


@given(st.lists(NAMES, unique=True), NAMES)
def test_a_name_is_matched_whole_if_and_only_if_it_is_there(names, other):
    pattern = re.compile(f"results/(?P<study>{any_of(names)})/report.html")
    for name in {*names, other}:
        found = pattern.fullmatch(f"results/{name}/report.html")
        assert (found["study"] if found else None) == (name if name in names else None)


def test_matching_takes_no_longer_among_many_names():
    def seconds(count):
        names = [f"study{k}" for k in range(count)]
        pattern = re.compile(f"results/(?:{any_of(names)})/mixed.json")
        times = []
        for _ in range(5):
            start = time.process_time()
            assert all(pattern.fullmatch(f"results/{n}/mixed.json") for n in names[-100:] * 20)
            times.append(time.process_time() - start)
        return min(times)

    assert seconds(10_000) < 10 * seconds(100)
