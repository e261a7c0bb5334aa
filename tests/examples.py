"""How many examples of a property are tried: all where a commit is judged, a fifth at a desk.

A desk's are new in every run, so that many runs see more than one full one; CI=true has all.
"""

import os

from hypothesis import settings

AT_A_DESK = 5  # one in so many
FULL = bool(os.environ.get("CI"))


def examples(most: int, **options) -> settings:
    """Settings for a property that needs `most` examples."""
    count = most if FULL else max(3, most // AT_A_DESK)
    return settings(max_examples=count, deadline=None, **options)
