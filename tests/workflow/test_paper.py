"""What goes into papers is made when it is asked for, by name or in the config."""


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
