"""What every Python that the workflow starts does first: Ctrl-C ends it without a traceback.

A job may be stopped while it still loads its libraries, before any code of ours could see to that.
"""

import sys


def _told(kind, error, trace):
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _told
