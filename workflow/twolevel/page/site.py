"""The site: the page of every study that has one, and an index over them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape as as_html
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twolevel.figures.groups import answer_figure
from twolevel.files.atomic import copy, replacing
from twolevel.files.private_folders import private_folder
from twolevel.findings.varying.random_words import how_much_varies, is_intercept
from twolevel.page.renderers import render
from twolevel.page.support import write_support
from twolevel.page.templates import fill
from twolevel.summaries.base import read_summary
from twolevel.summaries.design_summary import DesignSummary
from twolevel.summaries.mixed_summary import MixedSummary
from twolevel.summaries.replication_summary import ReplicationSummary
from twolevel.text.markdown import Markdown, escape

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


# Where a page in a folder of its own has no way to others, one of a site has.
WAYS = "<!-- the way to other pages, where there are such -->"


def publish(job: Snakemake, failed: Mapping[str, str]) -> None:
    """Copy the pages, then render the index, so that no index names a missing page.

    `job` is that of build_site, and `failed` says why a study has no page: neither the page nor
    any other file of such a study is read, and an earlier page of it is removed at last, when no
    index names it any more.
    """
    files, studies, titles = job.input, job.params.studies, job.params.titles
    targets = dict(zip([*studies, *titles], job.output.pages, strict=True))
    titled = {name: study["title"] or name for name, study in studies.items()} | titles
    shown = [name for name in targets if name not in failed]
    for (name, target), source in zip(targets.items(), files.pages, strict=True):
        if name not in failed:
            page = Path(source).read_text(encoding="utf-8")
            with replacing(target) as temporary:
                temporary.write_text(page.replace(WAYS, ways(name, shown, titled), 1), "utf-8")
    context = {
        "studies": _cards(job, failed),
        "replications": [
            {"name": name, "title": title, **dict(read_summary(summary, ReplicationSummary))}
            for (name, title), summary in zip(titles.items(), files.replications, strict=True)
            if name not in failed
        ],
        "failed": [
            {"title": titled[name], "reason": why.removeprefix(f"study {titled[name]}: ")}
            for name, why in failed.items()
        ],
    }
    with private_folder("index") as folder:
        for name, figure in _thumbnails(job, failed).items():
            copy(figure, folder / f"{name}.svg")
        document = folder / "index.qmd"
        document.write_text(fill(job.params.template, context), encoding="utf-8")
        write_support(job.params.support, folder)
        render(document, Path(job.output.index), renderer=job.params.renderer)
    for name in failed:
        Path(targets[name]).unlink(missing_ok=True)


def ways(name: str, shown: Sequence[str], titled: Mapping[str, str]) -> str:
    """The links from a page to the index and to its neighbours, as HTML."""
    at = shown.index(name)
    links = ['<a href="index.html">All studies</a>']
    for rel, arrow, place in (("prev", "←\u00a0{}", at - 1), ("next", "{}\u00a0→", at + 1)):
        if 0 <= place < len(shown):
            title = as_html(arrow.format(titled[shown[place]]))
            links.append(f'<a rel="{rel}" href="{as_html(shown[place])}.html">{title}</a>')
    return f'<nav class="ways" aria-label="Other pages">{"".join(links)}</nav>'


def _thumbnails(job: Snakemake, failed: Mapping[str, str]) -> dict[str, str]:
    """The file of the figure that shows what each page's headline says, by the page's name."""
    files, found = job.input, dict(zip(job.params.titles, job.input.power, strict=True))
    each = zip(job.params.studies, files.designs, files.mixed, files.means, files.data, strict=True)
    for name, design, mixed, means, data in each:
        if name not in failed:
            condition = read_summary(design, DesignSummary).columns.get("condition")
            answer = answer_figure(read_summary(mixed, MixedSummary), condition)
            found[name] = means if answer == "condition_means" else data
    return {name: figure for name, figure in found.items() if name not in failed}


def _cards(job: Snakemake, failed: Mapping[str, str]) -> list[dict[str, Any]]:
    """What the index says of each study."""
    files, cards = job.input, []
    read = zip(job.params.studies.items(), files.designs, files.mixed, strict=True)
    for (name, study), design, mixed in read:
        if name in failed:
            continue
        unit, fit = study.get("unit"), read_summary(mixed, MixedSummary)
        in_unit = Markdown(f"\u00a0{escape(unit)}" if unit else "")
        cards.append(
            {
                "name": name,
                "title": study["title"] or name,
                "unit": unit,
                "in_unit": in_unit,
                "simulated": "simulate" in study,
                "design": read_summary(design, DesignSummary),
                "mixed": fit,
                "intercept_only": is_intercept(fit),
                "how_much_varies": how_much_varies(fit, in_unit),
            }
        )
    return cards
