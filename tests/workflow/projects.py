"""A copy of the project, to be changed and run, and what its scripts import."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
WHO = "somebody-private"  # the user's name in every run
SIMULATE = {
    "subjects": 6,
    "conditions": {"a": -1, "b": 0, "c": 1},
    "grand_mean": 5,
    "sigma_between": 1.5,
    "sigma_within": 1,
    "seed": 1,
}
CONFIG = {
    "studies": {
        "toy": {"simulate": SIMULATE},
        "real": {"data": "config/data/selfesteem.csv", "formula": "score ~ time", "subject": "id"},
    },
    "report": {"renderer": "pandoc"},
}
TOY = {**CONFIG, "studies": {"toy": CONFIG["studies"]["toy"]}}
PLAN = {
    "subjects": [4, 6],
    "conditions": {"a": 0, "b": 1},
    "grand_mean": 5,
    "sigma_between": [0.0, 1.5],
    "sigma_within": 1,
    "missing": [0.0, 0.2],
    "experiments": 60,
    "seed": 3,
}
AGAIN = {"like": "toy", "subjects": [5, 8], "experiments": 40, "keep_experiments": True}


def replication_config(**replications: dict[str, Any]) -> dict[str, Any]:
    """A config with one study and these replication studies."""
    return {
        "studies": {"toy": {"simulate": SIMULATE}},
        "replications": replications,
        "report": {"renderer": "pandoc"},
    }


REPLICATED = replication_config(plan=PLAN, again=AGAIN)


@dataclass(frozen=True)
class Run:
    """What a command said, and how it ended."""

    status: int
    out: str
    text: str

    @property
    def lines(self) -> list[str]:
        """The lines of both streams that hold something."""
        return [line for line in self.text.splitlines() if line.strip()]


@dataclass(frozen=True)
class Project:
    """A folder with the whole project in it."""

    path: Path

    def start(
        self, *arguments: str, within: Sequence[str] = (), environment: Mapping[str, str] = {}
    ) -> subprocess.Popen:
        """Start Snakemake here as a user would, with its children in a group of their own.

        `within` is a command that runs another one, and `environment` changes variables.
        """
        hidden = ("SNAKEMAKE", "PYTHONPATH", "QUARTO")
        variables = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
        variables |= dict.fromkeys(("USER", "LOGNAME", "HOSTNAME"), WHO)
        return subprocess.Popen(
            [*within, sys.executable, "-m", "snakemake", *arguments],
            cwd=self.path,
            env=variables | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def snakemake(self, *arguments: str, ok: bool = True, **how: Any) -> Run:
        """Run Snakemake as `start` does; `ok` says whether it is to succeed."""
        return self.ended(self.start(*arguments, **how), ok=ok)

    def ended(self, process: subprocess.Popen, ok: bool = True) -> Run:
        """Wait for the end of a run that was started; `ok` says whether it is to succeed."""
        try:
            out, err = process.communicate(timeout=900)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
        run = Run(process.returncode, out, err + out)
        assert (run.status == 0) == ok, run.text
        return run

    def planned(self, *arguments: str) -> set[tuple[str, str | None]]:
        """The jobs that Snakemake would run, each as its rule and its study (None: the site)."""
        table = self.snakemake("--summary", *arguments).out.splitlines()
        jobs = set()
        for row in csv.DictReader(table, delimiter="\t"):
            assert row["plan"] in ("update pending", "no update")
            if row["plan"] == "update pending":
                study = re.match("results/([^/]+)/", row["output_file"])
                jobs.add((row["rule"], study and study[1]))
        return jobs

    def configure(self, config: dict[str, Any]) -> None:
        """Write the config."""
        text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
        (self.path / "config/config.yaml").write_text(text, encoding="utf-8")

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace text that occurs in a file."""
        path = self.path / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def files(self, *folders: str) -> dict[str, bytes]:
        """Every file of these folders with its content."""
        paths = [path for folder in folders for path in (self.path / folder).rglob("*")]
        return {str(p.relative_to(self.path)): p.read_bytes() for p in paths if p.is_file()}

    def results(self, *studies: str) -> dict[str, bytes]:
        """Every file of these studies with its content. Pages of a site lead to others' too."""
        return self.files(*(f"results/{study}" for study in studies))

    def copy(self, path: Path) -> "Project":
        """Copy it as it is, with times and with what Snakemake remembers."""
        shutil.copytree(self.path, path, symlinks=True, copy_function=shutil.copy2)
        return Project(path)


def differing(here: dict[str, bytes], there: dict[str, bytes]) -> list[str]:
    """The names of files that only one of two projects has, or with other content."""
    return sorted(k for k in here.keys() | there.keys() if here.get(k) != there.get(k))


def sources(path: Path) -> Project:
    """Copy the project without tests and results, those not committed yet included."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, path / name)
    project = Project(path)
    project.configure(CONFIG)
    return project


# Imports a script as its name, then whatever it and the library import inside functions or for
# type checkers only, by running these very statements.
IMPORTS = """
import ast, json, sys, time
from pathlib import Path
sys.path[:0] = sys.argv[2:]
before, start = set(sys.modules), time.perf_counter()
script = __import__(sys.argv[1])
seconds = time.perf_counter() - start
def ours(): return {n for n in sys.modules if n.split(".")[0] == "twolevel"}
report = {"seconds": seconds, "all": sorted(set(sys.modules) - before), "eager": sorted(ours())}
pending = [script, *(sys.modules[name] for name in ours())]
while pending:
    module, known = pending.pop(), ours()
    for outer in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
        if isinstance(outer, ast.FunctionDef | ast.If):
            for node in ast.walk(outer):
                if not isinstance(node, ast.Import | ast.ImportFrom):
                    continue
                names = [getattr(node, "module", None), *(alias.name for alias in node.names)]
                if any(str(name).split(".")[0] == "twolevel" for name in names):
                    code = compile(ast.Module([node], []), module.__file__, "exec")
                    exec(code, {"__package__": module.__package__})
    pending += [sys.modules[name] for name in ours() - known]
report["with_lazy"] = sorted(ours())
Path("report.json").write_text(json.dumps(report))
"""
