"""The site on a branch of a repository: real git, and a bare repository on disk for the remote."""

import shutil
import subprocess

import pytest

from twolevel.page.hosting import on_github, push_site
from twolevel.text.errors import TwoLevelError

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")


def git(folder, *arguments):
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def bare(tmp_path):
    git(tmp_path, "init", "--quiet", "--bare", "bare.git")
    return tmp_path / "bare.git"


@pytest.fixture
def clone(tmp_path, bare, monkeypatch):
    """A repository with a commit, a change that is not committed, and an author."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    git(tmp_path, "init", "--quiet", "--initial-branch", "main", "clone")
    folder = tmp_path / "clone"
    git(folder, "config", "user.name", "A")
    git(folder, "config", "user.email", "a@example.org")
    git(folder, "remote", "add", "origin", str(bare))
    (folder / "data.csv").write_text("1")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "one")
    (folder / "data.csv").write_text("2")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def site(tmp_path):
    """Two pages of a site, beside a file that is no part of it."""
    folder = tmp_path / "site"
    folder.mkdir()
    for name in ("index", "a-study", "of-old"):
        (folder / f"{name}.html").write_text(f"page {name}")
    return [folder / "index.html", folder / "a-study.html"]


def held(bare, branch="gh-pages"):
    """What the branch of the remote holds."""
    names = git(bare, "ls-tree", "-r", "--name-only", branch).splitlines()
    return {name: git(bare, "show", f"{branch}:{name}") for name in names}


PAGES = {"index.html": "page index", "a-study.html": "page a-study", ".nojekyll": ""}


def test_the_pages_and_nothing_else_are_pushed(clone, bare, site):
    assert push_site(site, "origin", "gh-pages") is None
    assert held(bare) == PAGES
    assert git(clone, "status", "--porcelain") == "M data.csv"
    assert git(clone, "branch", "--show-current") == "main"
    assert git(bare, "log", "--format=%an, %s", "gh-pages") == "A, Publish 2 pages"


def test_another_time_it_is_one_commit_on_top_of_what_others_pushed(
    clone, bare, site, tmp_path, monkeypatch
):
    push_site(site, "origin", "gh-pages")
    git(tmp_path, "clone", "--quiet", str(bare), "other")
    monkeypatch.chdir(tmp_path / "other")
    for key, value in (("user.name", "B"), ("user.email", "b@example.org")):
        git(tmp_path / "other", "config", key, value)
    push_site(site[:1], "origin", "gh-pages")
    assert held(bare) == {k: v for k, v in PAGES.items() if k != "a-study.html"}
    monkeypatch.chdir(clone)
    push_site(site, "origin", "gh-pages")
    assert held(bare) == PAGES
    assert git(bare, "log", "--format=%an", "gh-pages").splitlines() == ["A", "B", "A"]


def test_a_domain_set_on_github_stays(clone, bare, site, tmp_path):
    push_site(site, "origin", "gh-pages")
    git(tmp_path, "clone", "--quiet", "--branch", "gh-pages", str(bare), "github")
    (tmp_path / "github/CNAME").write_text("data.example.org")
    git(tmp_path / "github", "add", ".")
    author = ["-c", "user.name=G", "-c", "user.email=g@example.org"]
    git(tmp_path / "github", *author, "commit", "--quiet", "--message", "Create CNAME")
    git(tmp_path / "github", "push", "--quiet")
    assert push_site(site, "origin", "gh-pages") == "https://data.example.org/"
    assert held(bare) == {**PAGES, "CNAME": "data.example.org"}


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("git@github.com:Some-One/walk.git", "https://some-one.github.io/walk/"),
        ("https://x:token@github.com/someone/walk", "https://someone.github.io/walk/"),
        ("ssh://git@github.com:22/someone/walk.git/", "https://someone.github.io/walk/"),
        ("https://github.com/someone/someone.github.io.git", "https://someone.github.io/"),
        ("https://example.org/notgithub.com/a/b", None),
        ("https://gitlab.com/someone/walk.git", None),
    ],
)
def test_the_address_on_github_is_told_without_a_token(address, shown):
    assert on_github(address) == shown


class TestRefusals:
    """Nothing is pushed, and the message says what to do."""

    def refused(self, site, remote="origin", branch="gh-pages"):
        with pytest.raises(TwoLevelError) as error:
            push_site(site, remote, branch)
        return str(error.value)

    def test_without_a_repository(self, site, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        said = self.refused(site)
        assert "is in no git repository" in said
        assert "git init, then git remote add origin" in said

    def test_without_git(self, clone, site, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "found no git; install it" in self.refused(site)

    def test_without_the_remote(self, clone, site):
        said = self.refused(site, remote="mine")
        assert "found no remote mine, there: origin; say git remote add mine" in said

    def test_without_an_author(self, clone, site, bare):
        git(clone, "config", "--unset", "user.email")
        assert "git does not know who commits" in self.refused(site)
        assert git(bare, "branch") == ""

    def test_a_remote_that_is_gone(self, clone, site, bare):
        shutil.rmtree(bare)
        assert "the remote origin does not answer; say git ls-remote origin" in self.refused(site)

    def test_the_branch_that_is_worked_on(self, clone, site):
        assert "main is the branch that you work on" in self.refused(site, branch="main")

    def test_a_branch_of_something_else(self, clone, site, bare):
        git(clone, "push", "--quiet", "origin", "main:docs")
        said = self.refused(site, branch="docs")
        assert "branch docs of origin has files of something else (data.csv)" in said
        assert held(bare, "docs") == {"data.csv": "1"}

    def test_a_push_that_is_not_allowed(self, clone, site, bare):
        hook = bare / "hooks/pre-receive"
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
        said = self.refused(site)
        assert (
            "branch gh-pages of origin was not changed (what git says of it stands above)" in said
        )
        assert git(bare, "branch") == ""
