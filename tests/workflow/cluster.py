"""A Slurm cluster of this one machine, on the loopback, in a folder of its own."""

import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from getpass import getuser
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")
# Debian puts daemons where only root looks for them.
PATH = os.pathsep.join([os.environ["PATH"], "/usr/local/sbin", "/usr/sbin", "/sbin"])

# No cgroups (a container has none to give) and no accounting database. More cores than there are:
# what is to be proved is the order of jobs, not their speed.
CONFIG = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
KillWait=1
MinJobAge=300
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=16000
PartitionName=short Nodes=ALL Default=YES State=UP
"""


def missing_programs() -> list[str]:
    """The programs of Slurm and munge that this machine lacks."""
    return [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]


@contextmanager
def one_node(folder: Path) -> Iterator[dict[str, str]]:
    """Start Slurm with all its state in this folder; give the environment of its users."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "key").write_bytes(os.urandom(128))
    (folder / "key").chmod(0o600)
    with ExitStack() as sockets:
        # Both at once, so that they differ.
        free = [sockets.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        controller, node = (one.getsockname()[1] for one in free)
    host = socket.gethostname().split(".")[0]
    text = CONFIG.format(folder=folder, host=host, controller=controller, node=node, user=getuser())
    config = folder / "slurm.conf"
    config.write_text(text)
    # The plugin takes SLURM_CONF away from the srun that it calls inside of a job.
    srun = folder / "bin/srun"
    srun.parent.mkdir()
    found = shlex.quote(shutil.which("srun", path=PATH))
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={shlex.quote(str(config))} exec {found} "$@"\n')
    srun.chmod(0o755)
    environment = {"SLURM_CONF": str(config), "PATH": f"{srun.parent}{os.pathsep}{PATH}"}
    munged = ["munged", "--foreground", "--force", f"--socket={folder}/munge"]
    munged += [f"--key-file={folder}/key", f"--pid-file={folder}/munged.pid"]
    munged += [f"--log-file={folder}/munged.log", f"--seed-file={folder}/seed"]

    def says(*command: str) -> str:
        done = subprocess.run(
            command, env=os.environ | environment, capture_output=True, text=True, timeout=60
        )
        return done.stdout

    with ExitStack() as daemons:

        def start(*command: str, until: Callable[[], bool]) -> None:
            daemons.enter_context(_daemon(folder, environment, *command))
            _wait(until, f"{command[0]} did not start: see {folder}/{command[0]}.out")

        start(*munged, until=(folder / "munge").exists)
        start("slurmctld", "-D", "-i", until=lambda: "UP" in says("scontrol", "ping"))
        start("slurmd", "-D", until=lambda: "idle" in says("sinfo", "--noheader", "-o", "%T"))
        try:
            yield environment
        finally:
            says("scancel", "--user", getuser())
            _wait(lambda: not says("squeue", "--noheader"), "jobs are still running")


def _wait(until: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + 30
    while not until():
        assert time.monotonic() < end, otherwise
        time.sleep(0.1)


@contextmanager
def _daemon(folder: Path, environment: dict[str, str], *command: str) -> Iterator[None]:
    """Run a program until the block ends, or this process does."""
    with (folder / f"{command[0]}.out").open("w") as out:
        daemon = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command],
            env=os.environ | environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        daemon.terminate()
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
