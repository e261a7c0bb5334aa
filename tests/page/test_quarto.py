"""The wrapper of the `quarto` command, on a stand-in that records how it is called."""

import json
import os
import re
import shutil
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path

import pytest
from page_content import elements, external_references
from support_files import support

from twolevel.page.pandoc import pandoc_version, render_with_pandoc
from twolevel.page.quarto import find_quarto, quarto_version, render_with_quarto
from twolevel.page.rendering import RenderError
from twolevel.text.markdown import attribute, code, escape, quoted

SAMPLE = Path(__file__).parent / "sample"

PRELUDE = """\
import json, os, subprocess, sys, time
from pathlib import Path

with open({environments!r}, "a") as file:
    print(json.dumps(dict(os.environ)), file=file)
if sys.argv[1:] == ["--version"]:
    print({version!r})
    sys.exit(0)
record = {{
    "arguments": sys.argv[1:],
    "folder": os.getcwd(),
    "files": sorted(str(path) for path in Path().rglob("*")),
    "links": [str(path) for path in Path().rglob("*") if path.is_symlink()],
    "locked": [str(path) for path in Path().rglob("*") if not path.stat().st_mode & 0o200],
    "data": [p.name for p in Path(os.environ.get("XDG_DATA_HOME", "/")).glob("**/*")],
}}
Path({records!r}, f"{{os.getpid()}}.json").write_text(json.dumps(record))
output = Path(sys.argv[sys.argv.index("--output") + 1])
"""

SUCCEED = 'output.write_text("<p>new</p>")'


class StandIn:
    """An executable that records each call and then does what the test says."""

    def __init__(self, folder: Path, body: str = SUCCEED, version: str = "1.9.3") -> None:
        self.records = folder / "records"
        self.records.mkdir(parents=True)
        self.environments = folder / "environments"
        self.path = folder / "quarto"
        prelude = PRELUDE.format(
            version=version, records=str(self.records), environments=str(self.environments)
        )
        self.path.write_text(f"#!{sys.executable}\n{prelude}{textwrap.dedent(body)}\n")
        self.path.chmod(0o755)

    def calls(self) -> list[dict]:
        return [json.loads(path.read_text()) for path in sorted(self.records.iterdir())]

    def variables(self) -> list[dict[str, str]]:
        """The variables it was given, at each call, those for its version too."""
        return [json.loads(line) for line in self.environments.read_text().splitlines()]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "study" / "report"
    (folder / "figures").mkdir(parents=True)
    (folder / "report.qmd").write_text("---\ntitle: t\n---\n")
    (folder / "figures" / "scores.svg").write_text("<svg/>")
    return folder / "report.qmd"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    page = tmp_path / "out" / "report.html"
    page.parent.mkdir()
    page.write_text("old")
    return page


def assert_old_page_is_kept(output: Path) -> None:
    assert output.read_text() == "old"
    assert list(output.parent.iterdir()) == [output]


def test_arguments(tmp_path, source, output):
    quarto = StandIn(tmp_path / "bin")
    render_with_quarto(source, output, executable=quarto.path)
    (call,) = quarto.calls()
    assert call["arguments"] == [
        *("render", "report.qmd", "--to", "html", "--output", "report.html"),
        *("-M", "renderer:Quarto 1.9.3"),
    ]
    assert output.read_text() == "<p>new</p>"
    assert list(output.parent.iterdir()) == [output]


@pytest.mark.parametrize(("ending", "to"), [("docx", "docx"), ("pdf", "typst")])
def test_the_format_is_that_of_the_file(tmp_path, source, ending, to):
    quarto, output = StandIn(tmp_path / "bin"), tmp_path / f"report.{ending}"
    sharp = tmp_path / "scores.png"
    sharp.write_bytes(b"png")
    render_with_quarto(source, output, executable=quarto.path, figures=[sharp])
    (call,) = quarto.calls()
    assert call["arguments"][2:6] == ["--to", to, "--output", f"report.{ending}"]
    assert "figures/scores.png" in call["files"]
    assert quarto.variables()[-1]["SOURCE_DATE_EPOCH"] == "315532800"


def test_works_in_a_private_copy_and_leaves_the_source_alone(tmp_path, source, output):
    litter = SUCCEED + '; Path(".quarto").mkdir(); Path("figures", "x").write_text("")'
    quarto = StandIn(tmp_path / "bin", litter)
    before = sorted(source.parent.rglob("*"))
    render_with_quarto(source, output, executable=quarto.path)
    (call,) = quarto.calls()
    assert call["files"] == ["figures", "figures/scores.svg", "report.qmd"]
    assert sorted(source.parent.rglob("*")) == before
    assert not Path(call["folder"]).exists()


def test_what_quarto_reads_unasked_is_not_copied(tmp_path, source, output):
    quarto = StandIn(tmp_path / "bin", SUCCEED)
    (source.parent / "_extensions" / "evil").mkdir(parents=True)
    (source.parent / "figures" / "above").symlink_to(source.parent.parent)
    for name in ("_metadata.yml", "_environment", "_quarto-evil.yml", "_quarto.yml", ".env"):
        (source.parent / name).write_text("x: 1\n")
    render_with_quarto(source, output, executable=quarto.path)
    (call,) = quarto.calls()
    assert call["files"] == ["_quarto.yml", "figures", "figures/scores.svg", "report.qmd"]


def test_parallel_renders_never_share_a_folder(tmp_path, source, output):
    # Each waits until the other has started too, so that they are known to overlap.
    body = f"""
        while len(list(Path({str(tmp_path / "bin" / "records")!r}).glob("*.json"))) < 2:
            time.sleep(0.01)
        {SUCCEED}
    """
    quarto = StandIn(tmp_path / "bin", body)
    pages = [output, output.with_name("other.html")]
    with ThreadPoolExecutor(2) as pool:
        done = [
            pool.submit(render_with_quarto, source, page, executable=quarto.path, timeout=30)
            for page in pages
        ]
        for future in done:
            future.result()
    assert len({call["folder"] for call in quarto.calls()}) == 2
    assert [page.read_text() for page in pages] == ["<p>new</p>"] * 2


def test_source_may_be_read_only_and_linked(tmp_path, source, output):
    (source.parent / "linked.svg").symlink_to(source.parent / "figures" / "scores.svg")
    everything = [source.parent, *source.parent.rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    quarto = StandIn(tmp_path / "bin")
    render_with_quarto(source, output, executable=quarto.path)
    (call,) = quarto.calls()
    assert call["locked"] == []
    assert call["links"] == []
    assert "linked.svg" in call["files"]
    for path in everything:  # so that pytest can clean up
        path.chmod(0o755)


def test_failure_tells_what_quarto_said_and_keeps_the_old_page(tmp_path, source, output):
    body = """
        output.write_text("half")
        print("\\x1b[1mpandoc -M edited:true\\x1b[22m\\n  to: html\\n  ", file=sys.stderr)
        print("\\x1b[1mmetadata\\x1b[22m\\n  title: x\\n  a:\\n    - y\\n  ", file=sys.stderr)
        print("\\x1b[91mERROR: YAML is not valid\\x1b[39m\\n", file=sys.stderr)
        print("Stack trace:\\n    at render (a.ts:1)", file=sys.stderr)
        sys.exit(3)
    """
    quarto = StandIn(tmp_path / "bin", body)
    with pytest.raises(RenderError) as failure:
        render_with_quarto(source, output, executable=quarto.path)
    message = str(failure.value)
    assert message == f"{source}: Quarto failed (exit status 3):\n  ERROR: YAML is not valid"
    assert_old_page_is_kept(output)


@pytest.mark.parametrize(
    "warning",
    [
        "\\x1b[33mWARNING (crossref.lua:120) Unable to resolve crossref @fig-x\\x1b[0m",
        "[WARNING] Could not convert TeX math \\\\\\\\foo, rendering as TeX",
        "WARNING: Unable to resolve link target: none.qmd",
        "[WARNING] Duplicate identifier 'fig-x'",
    ],
)
def test_warnings_that_must_fail(tmp_path, source, output, warning):
    quarto = StandIn(tmp_path / "bin", f'{SUCCEED}; print("{warning}", file=sys.stderr)')
    with pytest.raises(RenderError, match=r"Unable to resolve|Could not|Duplicate"):
        render_with_quarto(source, output, executable=quarto.path)
    assert_old_page_is_kept(output)


def test_other_output_does_not_fail(tmp_path, source, output):
    quarto = StandIn(tmp_path / "bin", f'{SUCCEED}; print("Output created: report.html")')
    render_with_quarto(source, output, executable=quarto.path)
    assert output.read_text() == "<p>new</p>"


STEERING = (
    *("QUARTO_LOG_LEVEL", "QUARTO_FORCE_VERSION", "QUARTO_PROFILE", "QUARTO_SHARE_PATH"),
    *("QUARTO_PANDOC", "QUARTO_DENO", "QUARTO_DENO_EXTRA_OPTIONS", "QUARTO_DART_SASS"),
    *("DENO_DIR", "DENO_DOM_PLUGIN", "LUA_PATH", "LUA_CPATH_5_4", "SASS_PATH", "BASH_ENV"),
)


def test_no_variable_decides_what_makes_the_page(tmp_path, source, output, monkeypatch):
    for name in STEERING:
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    monkeypatch.setenv("TWOLEVEL_OTHER", "kept")
    quarto = StandIn(tmp_path / "opt" / "bin")
    render_with_quarto(source, output, executable=quarto.path)
    for given in quarto.variables():
        assert [name for name in STEERING if name in given] == []
        assert given["TWOLEVEL_OTHER"] == "kept"


def test_the_parts_of_a_spread_installation_are_found(tmp_path, source, output, monkeypatch):
    monkeypatch.setenv("QUARTO_PANDOC", str(tmp_path / "opt" / "bin" / "pandoc"))
    monkeypatch.setenv("QUARTO_SHARE_PATH", str(tmp_path / "opt" / "share" / "quarto"))
    monkeypatch.setenv("QUARTO_DENO", str(tmp_path / "opt" / ".." / "deno"))
    monkeypatch.setenv("QUARTO_FORCE_VERSION", str(tmp_path / "opt" / "9.9"))
    quarto = StandIn(tmp_path / "opt" / "bin")
    link = tmp_path / "usr" / "bin" / "quarto"
    link.parent.mkdir(parents=True)
    link.symlink_to(quarto.path)
    for executable in (quarto.path, link):
        render_with_quarto(source, output, executable=executable)
    for given in quarto.variables():
        assert {name for name in given if name.startswith("QUARTO")} == {
            "QUARTO_PANDOC",
            "QUARTO_SHARE_PATH",
        }
    # One that has its parts beside it needs to be told of none.
    (tmp_path / "opt" / "share").mkdir()
    (tmp_path / "opt" / "share" / "version").write_text("1.9.3")
    render_with_quarto(source, output, executable=quarto.path)
    assert not [name for name in quarto.variables()[-1] if name.startswith("QUARTO")]


def test_the_users_cache_is_not_used(tmp_path, source, output, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    body = f'Path(os.environ["XDG_CACHE_HOME"], "sass").mkdir(parents=True); {SUCCEED}'
    quarto = StandIn(tmp_path / "bin", body)
    render_with_quarto(source, output, executable=quarto.path)
    assert not (tmp_path / "user").exists()
    assert not Path(quarto.variables()[-1]["XDG_CACHE_HOME"]).exists()


def test_a_users_data_for_pandoc_are_not_found(tmp_path, source, output, monkeypatch):
    (tmp_path / "user/pandoc").mkdir(parents=True)
    (tmp_path / "user/pandoc/init.lua").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    quarto = StandIn(tmp_path / "bin")
    render_with_quarto(source, output, executable=quarto.path)
    # The folder is there, or Pandoc would look at home.
    assert quarto.calls()[0]["data"] == ["pandoc"]


def test_an_edited_source_is_told(tmp_path, source, output):
    quarto = StandIn(tmp_path / "bin")
    render_with_quarto(source, output, executable=quarto.path, edited=True)
    assert quarto.calls()[0]["arguments"][-2:] == ["-M", "edited:true"]


@pytest.mark.parametrize("body", ["", 'output.write_text("")'])
def test_success_without_a_page(tmp_path, source, output, body):
    # A page of an earlier render by hand must not be taken for the result.
    (source.parent / "report.html").write_text("by hand")
    quarto = StandIn(tmp_path / "bin", body)
    with pytest.raises(RenderError, match=r"made no report\.html"):
        render_with_quarto(source, output, executable=quarto.path)
    assert_old_page_is_kept(output)


def test_hanging_quarto_is_killed_with_its_children(tmp_path, source, output):
    pulse = tmp_path / "pulse"
    pulse.touch()
    child = f"import time\nwhile True: open({str(pulse)!r}, 'a').write('.'); time.sleep(0.02)"
    body = f"""
        subprocess.Popen([sys.executable, "-c", {child!r}])
        while True:
            time.sleep(1)
    """
    quarto = StandIn(tmp_path / "bin", body)
    started = time.monotonic()
    with pytest.raises(RenderError, match="not done after 2 s and stopped"):
        render_with_quarto(source, output, executable=quarto.path, timeout=2)
    assert time.monotonic() - started < 10
    beats = pulse.stat().st_size
    assert beats > 0
    time.sleep(0.2)
    assert pulse.stat().st_size == beats
    assert_old_page_is_kept(output)


def test_nothing_is_left_behind_when_the_page_cannot_be_placed(tmp_path, source):
    blocked = tmp_path / "out" / "report.html"
    blocked.mkdir(parents=True)
    with pytest.raises(OSError, match=r"report\.html"):
        render_with_quarto(source, blocked, executable=StandIn(tmp_path / "bin").path)
    assert list(blocked.parent.iterdir()) == [blocked]


def test_missing_source(tmp_path, output):
    quarto = StandIn(tmp_path / "bin")
    with pytest.raises(RenderError, match=r"none\.qmd: there is no such file"):
        render_with_quarto(tmp_path / "none.qmd", output, executable=quarto.path)


def test_missing_executable(tmp_path, source, output):
    with pytest.raises(RenderError, match="cannot be started"):
        render_with_quarto(source, output, executable=tmp_path / "none")


def test_version(tmp_path):
    assert quarto_version(StandIn(tmp_path / "a", version="1.9.3").path) == "1.9.3"
    with pytest.raises(RenderError, match=r"expected a version such as 1\.9\.3"):
        quarto_version(StandIn(tmp_path / "b", version="no such thing").path)


def test_a_version_is_what_is_said_to_stdout(tmp_path):
    quarto = StandIn(tmp_path / "bin")
    warning = "warning: setlocale: LC_ALL: cannot change locale (xx_XX)"
    text = quarto.path.read_text().replace(
        "print('1.9.3')", f"print('1.9.3'); print({warning!r}, file=sys.stderr)"
    )
    assert warning in text
    quarto.path.write_text(text)
    assert quarto_version(quarto.path) == "1.9.3"


def test_too_old(tmp_path, source, output):
    quarto = StandIn(tmp_path / "bin", version="1.6.42")
    with pytest.raises(RenderError, match=r"found Quarto 1\.6\.42, expected at least 1\.7"):
        render_with_quarto(source, output, executable=quarto.path)
    assert quarto.calls() == []


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine on which there is no Quarto at all."""
    monkeypatch.delenv("QUARTO_PATH", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setitem(sys.modules, "quarto_cli", None)


@pytest.mark.usefixtures("nowhere")
class TestFinding:
    def test_nowhere(self):
        assert find_quarto() is None

    def test_on_path(self, tmp_path, monkeypatch):
        quarto = StandIn(tmp_path / "bin")
        monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
        assert find_quarto() == quarto.path

    def test_in_the_package(self, tmp_path, monkeypatch):
        quarto = StandIn(tmp_path / "quarto_cli" / "quarto-1.9.3" / "bin")
        (tmp_path / "quarto_cli" / "__init__.py").touch()
        monkeypatch.delitem(sys.modules, "quarto_cli")
        monkeypatch.syspath_prepend(tmp_path)
        assert find_quarto() == quarto.path

    @pytest.mark.parametrize("named", ["opt/bin/quarto", "opt/bin", "opt"])
    def test_quarto_path_comes_first(self, tmp_path, monkeypatch, named):
        StandIn(tmp_path / "bin")
        quarto = StandIn(tmp_path / "opt" / "bin")
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        monkeypatch.setenv("QUARTO_PATH", str(tmp_path / named))
        assert find_quarto() == quarto.path

    def test_wrong_quarto_path_is_not_passed_over(self, tmp_path, monkeypatch):
        StandIn(tmp_path / "bin")
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        monkeypatch.setenv("QUARTO_PATH", str(tmp_path / "none"))
        with pytest.raises(RenderError, match=r"QUARTO_PATH=.*none: no executable there"):
            find_quarto()


@pytest.fixture
def real_quarto() -> Path:
    executable = find_quarto()
    if executable is None:
        pytest.skip("quarto is not installed")
    return executable


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    folder = tmp_path / "report"
    shutil.copytree(SAMPLE, folder)
    support(folder)
    return folder / "sample.qmd"


def test_real_quarto_makes_the_page_that_pandoc_makes(tmp_path, sample, real_quarto, monkeypatch):
    version = quarto_version(real_quarto)
    for name in STEERING:
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    # Nothing can be written there, and no such language is installed.
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(name, str(SAMPLE / "sample.qmd"))
    monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")
    by_quarto, by_pandoc = tmp_path / "quarto.html", tmp_path / "pandoc.html"
    render_with_quarto(sample, by_quarto, executable=real_quarto)
    render_with_pandoc(sample, by_pandoc)
    html = by_quarto.read_text("utf-8")
    assert external_references(html) == []
    assert f"Rendered by Quarto {version}" in html.replace('<span class="renderer">', "")
    same = by_pandoc.read_text("utf-8").replace(f"Pandoc {pandoc_version()}", f"Quarto {version}")
    # Classes that its Pandoc gives to tables and their rows.
    html = re.sub(r' class="(caption-top|header|odd|even)"', "", html)
    assert elements(html) == elements(same)


def test_real_quarto_runs_nothing_that_a_name_says(tmp_path, sample, real_quarto, monkeypatch):
    monkeypatch.setenv("SECRET", "told")
    name = "{{< env SECRET >}} {{< include x.qmd >}} {x} {#fig-y} {.z}"
    sample.write_text(
        f"---\ntitle: {quoted(name)}\nsubtitle: {quoted(name)}\n---\n\n"
        f'![{escape(name)} in full](figures/scores.svg){{#fig-a fig-alt="{attribute(name)}"}}\n\n'
        f"| a |\n|:--|\n| {escape(name)} |\n\n: {escape(name)} {{#tbl-a}}\n\n{code(name)}\n"
    )
    page = tmp_path / "page.html"
    render_with_quarto(sample, page, executable=real_quarto)
    html = unescape(page.read_text("utf-8")).replace("\u2060", "")
    assert "told" not in html
    assert html.count(name) == 8  # the title is also that of the window
    assert f"{name} in full" in html


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@fig-none", r"unresolved cross-reference @fig-none; give"),
        ("@sec-none", r"(?i)unable to resolve crossref @sec-none"),
        ("![x](figures/none.svg)", r"figures/none\.svg: the file of an image was not found"),
        ("$\\frac$", r"Could not convert TeX math"),
    ],
)
def test_faults_that_real_quarto_meets(tmp_path, sample, output, real_quarto, text, message):
    sample.write_text(f"---\ntitle: t\n---\n\n{text}\n")
    with pytest.raises(RenderError, match=message) as failure:
        render_with_quarto(sample, output, executable=real_quarto)
    assert "metadata" not in str(failure.value)
    assert_old_page_is_kept(output)
