"""CI tells a vulnerability from a service that cannot be reached, and says both plainly."""

import json
import subprocess
import sys

import pytest
from projects import ROOT

FINE = {"name": "numpy", "version": "2", "vulns": []}
SKIPPED = {"name": "scipy", "skip_reason": "not found"}
KNOWN = {"id": "PYSEC-1", "fix_versions": ["3"], "aliases": [], "description": "x"}
BAD = {"name": "jinja2", "version": "2", "vulns": [KNOWN]}
OFFLINE = "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='x', port=443)"


@pytest.mark.parametrize(
    ("found", "errors", "status", "words"),
    [
        ([FINE], "", 0, "1 of 1 dependencies audited, 0 vulnerable"),
        ([FINE, BAD], "WARNING", 1, "jinja2 2: PYSEC-1, fixed in 3\n2 of 2 dependencies"),
        ([SKIPPED], "", 0, "0 of 1 dependencies audited, 0 vulnerable\nNOT AUDITED"),
        (None, f"Traceback\n{OFFLINE}\n", 0, f"NOT AUDITED, for the vulnerability service cannot be"
         f" reached: {OFFLINE}"),
        (None, "pip-audit: error: unrecognized arguments: --x", 1, "pip-audit failed: pip-audit"),
    ],
)  # fmt: skip
def test_audit(tmp_path, found, errors, status, words):
    fake = tmp_path / "pip-audit"
    report = json.dumps({"dependencies": found, "fixes": []}) if found else None
    code = f"import sys; sys.stderr.write({errors!r})\n"
    code += f"if {report!r}: open(sys.argv[-1], 'w').write({report!r})\n"
    fake.write_text(f"#!{sys.executable}\n{code}sys.exit({int(bool(errors))})\n")
    fake.chmod(0o700)
    command = [sys.executable, str(ROOT / ".ci/audit.py"), str(fake)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (status, "")
    assert words in done.stdout


def test_the_constraints_are_names_and_versions_only():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    for line in lines:
        name, _, version = line.partition("==")
        assert name.replace("-", "").replace("_", "").isalnum()
        assert version.replace(".", "").isalnum()
