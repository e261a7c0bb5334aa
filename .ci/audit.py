"""Ask for known vulnerabilities of the pinned dependencies: `python .ci/audit.py pip-audit`.

Fails for one that is found, and where pip-audit fails for any reason but a service that cannot be
reached. That is said in plain words, and fails nothing: a commit is no worse without a network.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
UNREACHABLE = r"(Connection|Connect|Timeout|HTTP|Proxy|SSL|Service)\w*(Error|Timeout)"


def main(pip_audit: str) -> int:
    """Run pip-audit and say what it found; give the exit status."""
    with TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        # The service of OSV says so when it cannot be asked; a mirror of PyPI answers "not found",
        # which pip-audit takes for "no vulnerability".
        command = [pip_audit, "--requirement", str(CONSTRAINTS), "--no-deps", "--disable-pip"]
        command += ["--vulnerability-service", "osv", "--timeout", "15"]
        command += ["--progress-spinner", "off", "--format", "json", "--output", str(report)]
        done = subprocess.run(command, capture_output=True, text=True)
        errors = [line for line in done.stderr.splitlines() if line.strip()]
        if not report.exists():
            last = errors[-1] if errors else f"exit status {done.returncode}"
            if re.search(UNREACHABLE, last):
                print(f"NOT AUDITED, for the vulnerability service cannot be reached: {last[:200]}")
                return 0
            print(f"pip-audit failed: {last}")
            return 1
        found = json.loads(report.read_text())["dependencies"]
    skipped = [one["name"] for one in found if "skip_reason" in one]
    bad = [one for one in found if one.get("vulns")]
    for one in bad:
        for known in one["vulns"]:
            fixed = ", ".join(known["fix_versions"]) or "no version yet"
            print(f"{one['name']} {one['version']}: {known['id']}, fixed in {fixed}")
    print(
        f"{len(found) - len(skipped)} of {len(found)} dependencies audited, {len(bad)} vulnerable"
    )
    if skipped:
        print(f"NOT AUDITED, for the service does not know them: {', '.join(skipped)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
