"""What goes into papers is made when it is asked for, by name or in the config."""

import zipfile

from projects import CONFIG


def words_in(path):
    with zipfile.ZipFile(path) as archive:
        return archive.read("word/document.xml").decode()


def test_figures_for_paper_are_made_when_they_are_asked_for(project):
    figures = project.path / "results/toy/figures"
    drawn = {path.stem for path in figures.iterdir()}
    assert {path.suffix for path in figures.iterdir()} == {".svg"}
    project.snakemake("figures_for_paper")
    for kind, starts in ((".png", b"\x89PNG"), (".pdf", b"%PDF")):
        made = list(figures.glob(f"*{kind}"))
        assert {path.stem for path in made} == drawn
        assert {path.read_bytes()[:4] for path in made} == {starts}
    assert "Nothing to be done" in project.snakemake("figures_for_paper").text


def test_the_config_says_what_is_made_of_every_report(project):
    report = {**CONFIG["report"], "formats": ["html", "docx"]}
    project.configure({**CONFIG, "report": report})
    run = project.snakemake()
    assert run.lines[-1] == "Open site/index.html"
    for study in ("toy", "real"):
        folder = project.path / "results" / study
        assert "What was found" in words_in(folder / "report.docx")
        assert not (folder / "report.pdf").exists()
    # Pages are as they were.
    assert "render the report" not in [line.partition(": ")[2] for line in run.lines]
    assert "Nothing to be done" in project.snakemake().text


def test_a_document_has_its_figures_and_no_downloads(project):
    run = project.snakemake("results/toy/report.docx")
    assert run.lines[-1] == "Open results/toy/report.docx"
    words = words_in(project.path / "results/toy/report.docx")
    assert "results/toy/tables" in words
    # Which a page offers among its downloads, and names nowhere else.
    assert "witnesses.csv" not in words.partition("Checksums")[0]
    with zipfile.ZipFile(project.path / "results/toy/report.docx") as archive:
        media = [name for name in archive.namelist() if "/media/" in name]
    assert len(media) > 8
    assert {name.rpartition(".")[2] for name in media} == {"png"}


def test_a_replication_study_has_a_document_too(replicated, tmp_path):
    project = replicated[0].copy(tmp_path / "project")
    project.snakemake("results/plan/report.docx")
    assert "<w:tbl>" in words_in(project.path / "results/plan/report.docx")
