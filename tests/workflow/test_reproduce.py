"""A published page is made again from its own provenance; what was changed in it is told."""

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from projects import CONFIG

from reproduce import lay_tables, main
from twolevel.files.checksums import sha256
from twolevel.pipeline.config.check import load
from twolevel.pipeline.provenance import public
from twolevel.pipeline.tables.table_files import table_files
from twolevel.text.errors import InputError, TwoLevelError


def reproduce(project, *words, ok=True):
    return project.snakemake("reproduce", "--config", *words, ok=ok)


def carried(page: str, name: str) -> tuple[str, bytes]:
    """What a page carries under a name, as it stands there and decoded."""
    (text,) = re.findall(rf'base64,([^"]+)"[^>]* download="{re.escape(name)}"', page)
    return text, base64.b64decode(text)


def by_another_renderer(page: str) -> str:
    """A page that says that Quarto made it."""
    return re.sub('(class="renderer">)[^<]+', r"\1Quarto 99.9", page)


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_a_page_of_a_table_that_lies_elsewhere_is_confirmed(project, tmp_path):
    page, table = tmp_path / "published.html", tmp_path / "a {b} $c$.csv"
    shutil.copy(project.path / "results/real/report.html", page)
    shutil.move(project.path / "config/data/selfesteem.csv", table)
    project.configure({**CONFIG, "studies": {"toy": CONFIG["studies"]["toy"]}})
    before = project.files("results", "config")
    refused = reproduce(project, f"page={page}", ok=False)
    assert 'its table "config/data/selfesteem.csv" is not here' in refused.text
    run = reproduce(project, f"page={page}", f"table={table}")
    # Rounded tables and the data too, which are made with the page.
    names = {path.name for path in (project.path / "results/real/report/tables").iterdir()}
    assert set(re.findall(r"^same +(\S+\.csv)$", run.out, re.M)) == names
    # The page too, which shows the path that the table had.
    assert "same      the whole page, byte for byte" in run.out
    assert "note" not in run.out
    assert f"Confirmed: {page} is what its provenance makes." in run.out
    assert project.files("results", "config") == before


def test_what_was_changed_in_a_page_is_told(project, tmp_path):
    page = (project.path / "results/toy/report.html").read_text("utf-8")
    # A table alone; a table with the checksum that is stated of it; a sentence.
    for name, keep_up in (("means.csv", False), ("anova.csv", True)):
        old, table = carried(page, name)
        new = table.replace(b"1", b"2")
        page = page.replace(old, base64_of(new))
        if keep_up:
            text, provenance = carried(page, "provenance.json")
            sums = [hashlib.sha256(data).hexdigest().encode() for data in (table, new)]
            assert sums[0] in provenance
            page = page.replace(text, base64_of(provenance.replace(*sums)))
    path = tmp_path / "changed.html"
    path.write_text(page.replace("What was found", "What I found"), "utf-8")
    run = reproduce(project, f"page={path}", ok=False)
    assert "differs   means.csv: the page carries another than it states" in run.out
    assert "differs   anova.csv: the run made another than the page states" in run.out
    assert "differs   the page as a whole" in run.out
    assert len(re.findall("^same ", run.out, re.M)) == 19
    assert "not confirmed" in run.text
    assert "others: anova.csv, means.csv; take the page as it was published" in run.text
    assert "Traceback" not in run.text


def test_other_versions_and_another_table_are_said(project, tmp_path):
    page = (project.path / "results/real/report.html").read_text("utf-8")
    text, data = carried(page, "provenance.json")
    provenance = json.loads(data)
    provenance["versions"]["numpy"] = "1.0"
    provenance["code"] = {"commit": "0" * 40, "changed": False}
    path, table = tmp_path / "old.html", project.path / "config/data/selfesteem.csv"
    page = page.replace(text, base64_of(json.dumps(provenance).encode()))
    path.write_text(by_another_renderer(page), "utf-8")
    assert provenance["inputs"] == [{"name": "selfesteem.csv", "sha256": sha256(table)}]
    table.write_text(table.read_text("utf-8").replace("4.0", "4.5", 1), "utf-8")
    run = reproduce(project, f"page={path}", ok=False)
    for note in (
        'note      "selfesteem.csv" is not the table that the page was made from',
        'note      "numpy" was "1.0", here "',
        "note      the git commit of the code is known on one side only",
        'note      rendered by "Quarto 99.9", by "',
        "differs   means.csv: the run made another",
        "differs   the page as a whole",
    ):
        assert note in run.out
    assert "Confirmed" not in run.text


@pytest.mark.parametrize(
    "false",
    [
        {},
        {"versions": {"numpy": "1.0"}},
        {"code": {"commit": "0" * 40, "changed": True}},
        {"renderer": "Quarto 99.9"},
    ],
)
def test_a_forgery_is_not_confirmed_whatever_it_says_of_its_making(
    first_run, tmp_path, monkeypatch, capsys, false
):
    """By a run that makes the page as the first one did, which the tests above show it does."""
    made = first_run[0].path / "results/toy/report.html"

    def make(published, folder, command):
        (folder / "results/toy").mkdir(parents=True)
        shutil.copy(made, folder / "results/toy")

    monkeypatch.setattr("reproduce.make", make)
    monkeypatch.setattr("reproduce.commit", lambda: None)  # the project's folder has no repository
    page = made.read_text("utf-8")
    text, data = carried(page, "provenance.json")
    provenance = json.loads(data)
    provenance["versions"] |= false.get("versions", {})
    provenance["code"] = false.get("code", provenance["code"])
    page = page.replace(text, base64_of(json.dumps(provenance).encode()))
    if "renderer" in false:
        page = by_another_renderer(page)
    path = tmp_path / "forged.html"
    path.write_text(page.replace("What was found", "All patients were cured"), "utf-8")
    params = SimpleNamespace(page=path, table=None, tables={}, python="", snakefile="")
    with pytest.raises(TwoLevelError, match="not confirmed, for it is not what its") as refused:
        main(SimpleNamespace(params=params, threads=1))
    said, noted = str(refused.value), capsys.readouterr().out
    assert "makes here; the same tables: anova.csv, anova_rounded.csv, coefficients.csv" in said
    assert "others: none; " in said
    assert ("have what is noted above as it was" in said) == bool(false)
    assert ("note " in noted) == bool(false)
    assert "Confirmed" not in noted


@pytest.mark.parametrize("absolute", [False, True])
def test_a_table_of_many_files_is_laid_where_the_page_expects_it(tmp_path, monkeypatch, absolute):
    files = [f"runs/{folder}/part-{k}.csv" for folder in "ab" for k in range(2)]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(file)
    monkeypatch.chdir(tmp_path)
    pattern = str(tmp_path / "runs/*/part-*.csv" if absolute else "runs/*/part-*.csv")
    entry = public({"data": pattern, "formula": "y ~ t", "subject": "id"})
    page = SimpleNamespace(config=load({"studies": {"s": entry}}))
    run = tmp_path / "run"
    params = SimpleNamespace(page="page.html", table=None, tables={"s": pattern})
    assert len(lay_tables(page, params, run)) == 4
    monkeypatch.chdir(run)
    assert [Path(file).read_text() for file in table_files(entry["data"])] == files
    params.table = "runs/nothing-*.csv"
    with pytest.raises(InputError, match="is not here"):
        lay_tables(page, params, run)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "say which page"),
        (["page=nowhere.html"], "nowhere.html: cannot be read"),
    ],
)
def test_refusals(project, words, message):
    run = reproduce(project, *(words or ["name=x"]), ok=False)
    assert message in run.text
    assert "Traceback" not in run.text
