"""`snakemake publish` puts the site on a branch, as configured, and is asked for by name only."""

import subprocess

from projects import CONFIG


def git(folder, *arguments):
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_the_site_is_published_where_the_config_says(project, tmp_path):
    refused = project.snakemake("publish", ok=False)
    assert "is in no git repository" in refused.text
    assert "Traceback" not in refused.text
    git(tmp_path, "init", "--quiet", "--bare", "bare.git")
    git(project.path, "init", "--quiet")
    git(project.path, "remote", "add", "web", str(tmp_path / "bare.git"))
    git(project.path, "config", "user.name", "A")
    git(project.path, "config", "user.email", "a@example.org")
    (project.path / "site/of-a-study-that-is-gone.html").write_text("old")
    project.configure({**CONFIG, "publish": {"remote": "web"}})
    run = project.snakemake("publish", "--config", "publish={branch: pages}")
    assert "publish the site on branch pages of web" in run.lines
    assert "Published 3 pages: branch pages of web." in run.lines
    assert "subjects by their names in the table" in run.text
    assert "The pages of toy, real carry the observations as data.csv" in run.text
    listed = git(tmp_path / "bare.git", "ls-tree", "--name-only", "pages").splitlines()
    assert listed == [".nojekyll", "index.html", "real.html", "toy.html"]
    shown = git(tmp_path / "bare.git", "show", "pages:index.html")
    assert shown == (project.path / "site/index.html").read_text("utf-8").strip()
    assert "Nothing to be done" in project.snakemake().text
