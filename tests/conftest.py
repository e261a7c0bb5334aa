"""Properties that do not say how many examples they need are tried less often at a desk."""

from examples import AT_A_DESK, FULL
from hypothesis import settings

settings.register_profile("desk", max_examples=100 // AT_A_DESK, deadline=None)
if not FULL:
    settings.load_profile("desk")
