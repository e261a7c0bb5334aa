"""Make a published page again from its own provenance, and confirm its checksums.

Reads the page and the user's table; runs the page's study in a private folder, which is removed
afterwards, and says of every table whether it is the same.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from twolevel.files.checksums import checksums
from twolevel.files.private_folders import private_folder
from twolevel.page.rendering import run as run_command
from twolevel.pipeline.config.study import RealStudy
from twolevel.pipeline.job import run
from twolevel.pipeline.provenance import commit, fixed_folder, versions
from twolevel.pipeline.published import Published, place_of, read_page
from twolevel.pipeline.tables.table_files import table_files
from twolevel.text.errors import InputError, TwoLevelError, listed, quoted

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Make the page again and compare."""
    params = snakemake.params
    if params.page is None:
        raise InputError("reproduce: say which page, as snakemake reproduce --config page=...")
    published = read_page(params.page)
    report = published.provenance.report
    with private_folder("reproduce") as private:
        folder = private / "run"
        folder.mkdir()
        files = lay_tables(published, params, folder)
        notes = differences(published, files)
        for note in notes:
            print(f"note      {note}")
        print(f"Making {report} again ...", flush=True)
        snakemake_here = [params.python, "-P", "-m", "snakemake", "--snakefile", params.snakefile]
        make(published, folder, [*snakemake_here, "--cores", str(snakemake.threads)])
        again = read_page(folder / f"results/{report}/report.html")
        wrong, same = compared(published, again)
    if published.renderer != again.renderer:
        here = f"{quoted(again.renderer)} here"
        notes.append(f"rendered by {quoted(published.renderer)}, by {here}")
        print(f"note      {notes[-1]}")
    if published.sha256 == again.sha256:
        print("same      the whole page, byte for byte")
        print(f"Confirmed: {params.page} is what its provenance makes.")
        return
    print("differs   the page as a whole, so its text or figures may be false")
    remedy = "take the page as it was published"
    if notes:
        remedy = "have what is noted above as it was, and reproduce it again, to be certain"
    raise TwoLevelError(
        f"{params.page}: not confirmed, for it is not what its provenance makes here; the same "
        f"tables: {listed(same, 40) or 'none'}; others: {listed(wrong, 40) or 'none'}; {remedy}"
    )


def lay_tables(published: Published, params: Any, folder: Path) -> list[str]:
    """Link the user's table where the page's entry expects it; give its files.

    The table is the one given, or that of the user's own study of this name, or the one that the
    page names, if that is here. It is only read.
    """
    files = []
    for name, study in published.config.studies.items():
        if not isinstance(study, RealStudy):
            continue
        place = place_of(study.data, params.page)
        source = str(params.table or params.tables.get(name) or study.data)
        found, many = table_files(source), "*" in study.data
        if not all(Path(file).is_file() for file in found) or not (
            found if many else len(found) == 1
        ):
            raise InputError(
                f"{params.page}: its table {quoted(study.data)} is not here; say where it is, as "
                "snakemake reproduce --config page=... table=..."
            )
        for file in found:
            inner = Path(file).relative_to(fixed_folder(source))
            target = folder / (fixed_folder(study.data) / inner if many else place)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(Path(file).resolve())
        files += found
    return files


def differences(published: Published, files: list[str]) -> list[str]:
    """What is not as it was when the page was made, and may change its numbers."""
    was = published.provenance
    notes = []
    read, here = [file.sha256 for file in was.inputs], checksums(files)
    for file in here:
        if file["sha256"] not in read:
            notes.append(f"{quoted(file['name'])} is not the table that the page was made from")
    if len(here) != len(read):
        notes.append(f"the table has {len(here)} files here, and had {len(read)}")
    now = versions()
    for program in {**now, **was.versions}:
        before, after = was.versions.get(program, "none"), now.get(program, "none")
        if before != after:
            notes.append(f"{quoted(program)} was {quoted(before)}, here {quoted(after)}")
    code = commit()
    if was.code is None or code is None:
        if was.code or code:
            notes.append("the git commit of the code is known on one side only")
    elif was.code.changed or code["changed"]:
        notes.append("the code was changed beyond its git commit")
    elif was.code.commit != code["commit"]:
        notes.append(f"the code was as of git commit {was.code.commit}, here {code['commit']}")
    return notes


def make(published: Published, folder: Path, snakemake_here: list[str]) -> None:
    """Run the page's study in this folder, as a run of its own.

    Its config lies outside, where no table can be in its place.
    """
    config = published.provenance.config
    if published.renderer.startswith("Pandoc"):
        config = config | {"report": {"renderer": "pandoc"}}
    file = folder.with_name("config.yaml")
    file.write_text(yaml.safe_dump(config, sort_keys=False), "utf-8")
    page = f"results/{published.provenance.report}/report.html"
    command = [*snakemake_here, page, "--directory", folder, "--configfile", file]
    command += ["--profile", "none", "--workflow-profile", "none", "--quiet", "all"]
    done = run_command(command, timeout=None)
    if done.status != 0:
        raise TwoLevelError(f"{published.provenance.report} cannot be made again:\n{done.said}")


def compared(published: Published, again: Published) -> tuple[list[str], list[str]]:
    """Say of every table whether it is the same; name those that are not, and those that are."""
    wrong, same = [], []
    stated, made = (
        {table.name: table.sha256 for table in page.provenance.tables}
        for page in (published, again)
    )
    carried = {name: sha for name, sha in published.carried.items() if name.endswith(".csv")}
    for name in sorted({**stated, **made, **carried}):
        reasons = []
        if carried.get(name, stated.get(name)) != stated.get(name):
            reasons.append("the page carries another than it states")
        if made.get(name) != stated.get(name):
            reasons.append("the run made another than the page states")
        shown = quoted(name)[1:-1]
        print(f"{'differs' if reasons else 'same':9} {shown}", end="")
        print(f": {'; '.join(reasons)}" if reasons else "")
        (wrong if reasons else same).append(shown)
    return wrong, same


if __name__ == "__main__":
    run(main, snakemake)
