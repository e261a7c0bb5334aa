"""The site on the web: a branch of a git repository, as GitHub Pages and its like serve it."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ghp_import import GhpError, ghp_import

from twolevel.files.private_folders import private_folder
from twolevel.text.errors import TwoLevelError, listed

# A file that tells GitHub to serve pages as they are; by it a branch is known as that of a site.
_MARK = ".nojekyll"
_ON_GITHUB = re.compile(r"(?:^|[/@])github\.com(?::\d+)?[:/]/?([\w-]+)/([\w.-]+?)(?:\.git)?/?$")


def push_site(pages: Sequence[Path], remote: str, branch: str) -> str | None:
    """Put `pages` on a branch of a remote in place of all that it held, by one more commit.

    The repository is that of the current folder, whose work tree is left alone. A domain of one's
    own, which GitHub keeps in the branch's file CNAME, stays. Gives the site's address where the
    remote is one of GitHub's, or its domain is known; else None.

    Raises:
        TwoLevelError: there is no git, repository, remote or author, the remote cannot be reached,
            or the branch is one for other files.
    """
    if not _git("rev-parse", "--git-dir"):
        raise TwoLevelError(
            f"publish: {Path.cwd()} is in no git repository, which the site would be a branch of; "
            f"say git init, then git remote add {remote} with the address of your repository"
        )
    address = _git("remote", "get-url", remote)
    if not address:
        there = listed((_git("remote") or "").split()) or "none"
        raise TwoLevelError(
            f"publish: found no remote {remote}, there: {there}; say git remote add {remote} with "
            "the address of your repository, or name another one below publish: in the config"
        )
    if not _git("config", "user.name") or not _git("config", "user.email"):
        raise TwoLevelError(
            "publish: git does not know who commits; say git config user.name and git config "
            "user.email with what may be public"
        )
    domain = _domain_of_site(remote, branch)
    with private_folder("publish") as folder:
        for page in pages:
            shutil.copyfile(page, folder / page.name)
        words = f"Publish {len(pages)} pages"
        try:
            ghp_import(
                str(folder),
                remote=remote,
                branch=branch,
                mesg=words,
                push=True,
                nojekyll=True,
                cname=domain,
            )
        except (GhpError, subprocess.CalledProcessError) as error:
            why = getattr(error, "message", "what git says of it stands above")
            raise TwoLevelError(
                f"publish: branch {branch} of {remote} was not changed ({why}); see that you may "
                f"push to it, as by git push --dry-run {remote} HEAD:refs/heads/{branch}-try"
            ) from error
    return f"https://{domain}/" if domain else on_github(address)


def _domain_of_site(remote: str, branch: str) -> str | None:
    """Fetch the branch, if it is there and one for a site; give its domain, if it has one."""
    if _git("symbolic-ref", "--short", "HEAD") == branch:
        raise TwoLevelError(
            f"publish: {branch} is the branch that you work on, and would be emptied for the site; "
            "expected a branch of its own, such as gh-pages; name one below publish: in the config"
        )
    heads = _git("ls-remote", "--heads", remote, f"refs/heads/{branch}")
    if heads is None:
        raise TwoLevelError(
            f"publish: the remote {remote} does not answer; say git ls-remote {remote} to see why"
        )
    if not heads:
        return None
    fetched = f"refs/remotes/{remote}/{branch}"
    _git("fetch", "--quiet", remote, f"+refs/heads/{branch}:{fetched}")
    files = (_git("ls-tree", "--name-only", fetched) or "").splitlines()
    if _MARK not in files:
        raise TwoLevelError(
            f"publish: branch {branch} of {remote} has files of something else "
            f"({listed(files, 3)}), which would be gone; expected a branch with a site "
            f"({_MARK} in it), or none of that name; name another one below publish: in the config"
        )
    return _git("show", f"{fetched}:CNAME")


def on_github(address: str) -> str | None:
    """Where GitHub serves the Pages of the repository at this address, which may hold a token."""
    found = _ON_GITHUB.search(address)
    if not found:
        return None
    owner, name = found.groups()
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def _git(*arguments: str) -> str | None:
    """What git says, or None where it fails; it may ask for a password."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, encoding="utf-8")
    except FileNotFoundError:
        raise TwoLevelError("publish: found no git; install it (https://git-scm.com)") from None
    return done.stdout.strip() if done.returncode == 0 else None
