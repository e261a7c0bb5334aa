"""Tests of what both renderers share: the guarded command."""

import os
import signal
import subprocess
import sys
import time

import pytest

from twolevel.page.rendering import run


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_while_the_command_starts_ends_the_command(monkeypatch, stop):
    started = []

    class Stopped(subprocess.Popen):
        """A command that has started before its caller knows of it, who is then told to stop."""

        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            started.append(self)
            os.kill(os.getpid(), stop)
            time.sleep(0.01)

    monkeypatch.setattr(subprocess, "Popen", Stopped)
    before = signal.signal(stop, lambda number, frame: sys.exit(128 + number))
    try:
        with pytest.raises(SystemExit):
            run([sys.executable, "-c", "import time; time.sleep(60)"])
    finally:
        signal.signal(stop, before)
    assert started[0].wait(10) == -signal.SIGKILL
