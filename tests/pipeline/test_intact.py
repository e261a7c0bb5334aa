"""A file between stages is read only while it holds what was written there."""

import errno
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twolevel.files.atomic import replacing, rewrite, sweep
from twolevel.files.checksums import fingerprint, sha256
from twolevel.pipeline.clock import bring_back
from twolevel.pipeline.intact import (
    RECORDS,
    check,
    edited,
    held,
    remember,
    set_aside,
    set_edit_aside,
)
from twolevel.text.errors import InputError


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None
)
@given(content=st.binary(min_size=1), data=st.data())
def test_any_change_is_found_and_nothing_is_lost(here, content, data):
    path = here / "a.json"
    path.write_bytes(content)
    date = path.stat().st_mtime_ns
    remember(["a.json"])
    check(["a.json"])
    changed = data.draw(st.binary().filter(lambda other: other != content))
    path.write_bytes(changed)
    os.utime(path, ns=(date, date))
    with pytest.raises(InputError, match=r"^a\.json: found other content .* makes it anew$"):
        check(["a.json"])
    assert path.exists()
    assert set_aside(["a.json"]) == ["a.json"]
    assert not path.exists()
    assert (here / "a.json.changed").read_bytes() == changed


def test_all_that_changed_is_named_at_once(here):
    for name in "abc":
        (here / name).write_text(name)
    remember("abc")
    for name in "ac":
        (here / name).write_text("x")
    with pytest.raises(InputError, match=r"^a, c: found other"):
        check("abc")


def test_only_what_changed_is_set_aside(here):
    (here / "a").write_text("a")
    remember("a")
    assert set_aside(["a", "missing"]) == []


def test_a_record_that_was_cut_off_is_not_trusted(here):
    (here / "a").write_text("a")
    remember("a")
    (here / RECORDS / "a.sha256").write_text(sha256("a")[:20])
    with pytest.raises(InputError):
        check("a")


TEXT = "W = .489\n\n::: {.provenance}\n:::\n"


@pytest.fixture
def document(here) -> Path:
    """A document and what is written together with it, an hour ago."""
    for name, text in (("report.qmd", TEXT), ("provenance.json", "{}")):
        (here / name).write_text(text)
        os.utime(name, (1.6e9, 1.6e9))
    remember(["report.qmd", "provenance.json"])
    return Path("report.qmd")


def test_a_document_that_was_saved_later_was_edited(document):
    assert not edited(document)
    document.write_text(TEXT.replace("W", "My W"))
    check([str(document)])
    assert edited(document)
    assert set_aside([str(document)]) == []


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None
)
@given(bit=st.integers(0, 8 * len(TEXT) - 1))
def test_one_that_differs_at_its_old_date_is_damaged(document, bit):
    content = bytearray(TEXT.encode())
    content[bit // 8] ^= 1 << bit % 8
    document.write_bytes(content)
    os.utime(document, (1.6e9, 1.6e9))
    assert not edited(document)
    with pytest.raises(InputError, match="found other content"):
        check([str(document)])


@pytest.mark.parametrize(
    "content", [TEXT[:-9].encode(), b"\0" + TEXT.encode(), b"\xff" + TEXT.encode()]
)
def test_so_is_one_that_is_no_whole_text(document, content):
    document.write_bytes(content)
    assert not edited(document)
    with pytest.raises(InputError, match="found other content"):
        check([str(document)])


def test_no_edit_is_lost_when_a_document_is_written_anew(document):
    assert set_edit_aside(document, "new") is None
    for number, name in enumerate(("report.edited.qmd", "report.edited-2.qmd")):
        document.write_text(f"{number}{TEXT}")
        assert set_edit_aside(document, f"{number}{TEXT}") is None
        assert set_edit_aside(document, "new") == name
        assert Path(name).read_text() == f"{number}{TEXT}"
    shutil.rmtree(RECORDS)
    assert set_edit_aside(document, "new") == "report.edited-3.qmd"
    document.unlink()
    assert set_edit_aside(document, "new") is None


def test_a_table_saved_while_it_is_read_is_refused(here):
    for name in ("a.csv", "b.csv"):
        (here / name).write_text("old")

    def files():
        return sorted(str(path) for path in here.glob("*.csv"))

    with held(files, "study s: *.csv") as sums:
        pass
    assert sums == [{"name": n, "sha256": sha256(here / n)} for n in ("a.csv", "b.csv")]

    def saved(text):
        (here / "a.csv").write_text(text)

    def replaced_by_its_like():
        date = (here / "a.csv").stat().st_mtime_ns
        (here / "c").write_bytes((here / "a.csv").read_bytes())
        os.utime(here / "c", ns=(date, date))
        os.replace(here / "c", here / "a.csv")

    changes = [
        lambda: saved("new"),
        lambda: (saved("between"), saved("new")),
        replaced_by_its_like,
        lambda: (here / "c.csv").write_text("more"),
        (here / "b.csv").unlink,
    ]
    for change in changes:
        refused = pytest.raises(
            InputError, match=r"^study s: \*\.csv: was changed while it was read"
        )
        with refused, held(files, "study s: *.csv"):
            change()
            raise InputError("row 7: found half a row, as it was not written yet")
    assert not (here / "b.csv").exists()
    with pytest.raises(InputError, match="half"), held(files, "study s"):
        raise InputError("half")


def test_files_of_no_job_pass(here, tmp_path_factory):
    other = tmp_path_factory.mktemp("elsewhere") / "table.csv"
    for path in (other, here / "table.csv"):
        path.write_text("a")
    paths = [str(other), os.path.relpath(other), "table.csv"]
    remember(paths[:2])
    assert not (here / RECORDS).exists()
    check(paths)


def test_what_killed_writers_left_is_swept_and_nothing_else(here):
    kept = [here / name for name in ("a.csv", ".hidden.a.csv", ".12345678.b.csv")]
    for path in kept:
        path.touch()
    with replacing(here / "a.csv") as temporary:
        temporary.touch()
        killed = temporary.with_name(temporary.name.replace(temporary.name[1:9], "0123abcd"))
        killed.touch()
    (here / ".0123abcd.a.csv").unlink()
    (here / ".0123abcd.a.csv").mkdir()
    (here / ".0123abcd.a.csv/part").touch()
    sweep(here / "a.csv")
    assert sorted(here.iterdir()) == sorted(kept)


def test_an_error_of_writing_names_the_file_that_was_to_be_written(here):
    (here / "a.csv").mkdir()
    with (
        pytest.raises(OSError, match=r"a\.csv'$") as caught,
        replacing(here / "a.csv") as temporary,
    ):
        temporary.touch()
    assert caught.value.filename == str(here / "a.csv")


@pytest.mark.parametrize("copying", [False, True])
def test_a_full_disk_is_told_of_the_file_that_was_to_be_written(here, copying):
    def fill():
        with replacing("a.csv") as temporary:
            names = ("source", None, str(temporary)) if copying else ()
            raise OSError(errno.ENOSPC, "x", *names)

    with pytest.raises(OSError, match="No space left") as caught:
        fill()
    assert caught.value.filename == "a.csv"


def test_a_fingerprint_is_of_content_or_of_size_and_date(here, monkeypatch):
    path = here / "a"
    path.write_text("a")
    before = fingerprint(path)
    os.utime(path, (1, 1))
    assert fingerprint(path) == before
    monkeypatch.setattr("twolevel.files.checksums.LARGE", 0)
    assert fingerprint(path) == "1 1000000000"


@given(
    dates=st.lists(
        st.integers(1_600_000_000 * 10**9, 1_900_000_000 * 10**9), min_size=1, max_size=5
    )
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None
)
def test_nothing_is_left_in_the_future_and_order_is_kept(here, monkeypatch, dates):
    now = 1_700_000_000 * 10**9
    monkeypatch.setattr("time.time_ns", lambda: now)
    (here / "results").mkdir(exist_ok=True)
    paths = [here / f"results/{k}" for k in range(len(dates))]
    for path, date in zip(paths, dates, strict=True):
        path.touch()
        os.utime(path, ns=(date, date))
    bring_back(["results", "nowhere"])
    found = [path.stat().st_mtime_ns for path in paths]
    assert max(found) <= now + 2 * 10**9
    assert [date - max(dates) for date in dates] == [date - max(found) for date in found]
    for path in paths:
        path.unlink()


class TestRewrite:
    @pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
    def test_rights_stay(self, tmp_path, mode):
        path = tmp_path / "config.yaml"
        path.write_bytes(b"old")
        path.chmod(mode)
        rewrite(path, b"new\r\n")
        assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new\r\n", mode)
        assert list(tmp_path.iterdir()) == [path]

    def test_a_link_stays_and_leads_to_the_new_content(self, tmp_path):
        (tmp_path / "mine").mkdir()
        target, link = tmp_path / "mine/real.yaml", tmp_path / "config.yaml"
        target.write_bytes(b"old")
        link.symlink_to("mine/real.yaml")
        rewrite(link, b"new")
        assert link.is_symlink()
        assert target.read_bytes() == b"new"

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
    def test_the_owner_stays(self, tmp_path):
        path = tmp_path / "config.yaml"
        path.write_bytes(b"old")
        os.chown(path, 1234, 2345)
        rewrite(path, b"new")
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)

    def test_what_cannot_be_given_back_is_written_in_place(self, tmp_path, monkeypatch):
        path = tmp_path / "config.yaml"
        path.write_bytes(b"old")
        before = path.stat().st_ino
        monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
        rewrite(path, b"new")
        assert (path.read_bytes(), path.stat().st_ino) == (b"new", before)
