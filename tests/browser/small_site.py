"""A small site with a study of each kind, made by Snakemake."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def table(name: str, **more: str) -> dict[str, str]:
    """The config of a study of one of the test tables."""
    path = ROOT / "tests/data" / f"{name}.csv"
    return {"data": str(path), "formula": "y ~ condition", "subject": "subject", **more}


CONFIG = {
    "studies": {
        "balanced": {
            "title": "A simulated study",
            "simulate": {
                "subjects": 12,
                "conditions": {"a": -1, "b": 0, "c": 1},
                "grand_mean": 5,
                "sigma_between": 1.5,
                "sigma_within": 1,
                "seed": 1,
            },
        },
        "boundary": table("selfesteem", unit="points"),
        "unbalanced": table("ergostool_missing"),
        "slopes": table("sleepstudy", unit="ms"),
        "strata": table("selfesteem2", formula="score ~ treatment * time", subject="id"),
    },
    "replications": {
        "planning": {
            "subjects": [6, 9],
            "conditions": {"a": -1, "b": 0, "c": 1},
            "grand_mean": 5,
            "sigma_between": [0, 1],
            "sigma_within": 1,
            "missing": [0.0, 0.1],
            "experiments": 200,
        }
    },
    "report": {"renderer": "pandoc"},
}
STUDIES = list(CONFIG["studies"])
PAGES = ["index", *STUDIES, *CONFIG["replications"]]


def make(project: Path) -> None:
    """Run Snakemake on the studies in a folder of their own."""
    (project / "config").mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(CONFIG, sort_keys=False)
    (project / "config/config.yaml").write_text(text, "utf-8")
    hidden = ("SNAKEMAKE", "PYTHONPATH", "QUARTO")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"]
    done = subprocess.run(
        [*command, "--snakefile", ROOT / "Snakefile", "--directory", project],
        env=environment,
        cwd=project,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
