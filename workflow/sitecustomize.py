"""What every Python that the workflow starts does first.

Ctrl-C ends it without a traceback: a job may be stopped while it still loads its libraries, before
any code of ours could see to that. And the collector of garbage does not go through these libraries
again and again while they load, nor when the job ends: that would be a third of a small job's time.
"""

import atexit
import gc
import sys


def _told(kind, error, trace):
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _told
gc.set_threshold(100_000)
atexit.register(gc.freeze)
