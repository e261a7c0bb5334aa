"""Look at a table, guess what its columns are, try that out, and add a study to the config.

Reads the table; writes an entry with a reason for each guess at the end of the config's studies.
Nothing that stands in the config is changed.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from twolevel.design.formula import parse
from twolevel.files.atomic import rewrite
from twolevel.findings.varying.random_words import what_subjects_have
from twolevel.levels.random_part_found import random_terms
from twolevel.mixed import MixedFit, fit_mixed
from twolevel.pipeline.config.check import load
from twolevel.pipeline.config.entry import alone, entry, free_name, names, with_study
from twolevel.pipeline.guessing.guess import guess
from twolevel.pipeline.guessing.guess_made import Guess
from twolevel.pipeline.job import run
from twolevel.pipeline.tables.column_types import is_date, is_number
from twolevel.pipeline.tables.likely_codes import LikelyCode
from twolevel.pipeline.tables.observations import Loaded, load_table
from twolevel.pipeline.tables.reading import Reader
from twolevel.pipeline.tables.table_files import TableFiles
from twolevel.summaries.mixed_summary import RandomTerm
from twolevel.text.errors import InputError, listed, quoted
from twolevel.text.markdown import plain

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake

# What may have to be allowed before a table can be loaded.
ALLOWED = {"missing": "drop", "replicates": "allow"}


def main(snakemake: "Snakemake") -> None:
    """Add a study of the table to the config, and say what was guessed and why."""
    if snakemake.params.table is None:
        raise InputError("new_study: say which table, as snakemake new_study --config table=...")
    with alone():
        add(snakemake)


def add(snakemake: "Snakemake") -> None:
    """Add the study, while nobody else adds one."""
    table, config = str(snakemake.params.table), Path(snakemake.params.config)
    written = config.read_bytes().decode()
    taken = {*snakemake.params.taken, *names(written)}
    name = snakemake.params.name or free_name(table, taken)
    if not isinstance(name, str):
        raise InputError(
            f"new_study: Snakemake reads name= as the number {name}; give a name that begins with "
            "a letter"
        )
    if name in taken:
        raise InputError(
            f"new_study: the config has a study {quoted(name)} already; give another name, as "
            "--config table=... name=..."
        )
    found, keys, notes = study_of(table, name)
    text = entry(name, keys, found.reasons, notes)
    rewrite(config, with_study(written, name, text).encode())
    print(f"Added to {config}:\n\n{text}\nNow run: snakemake results/{name}/report.html")


def study_of(table: str, name: str) -> tuple[Guess, dict[str, Any], list[str]]:
    """What the table seems to be, the study's keys, tried out, and notes for the reader."""
    where = f"study {name}"
    data, unread = columns_of(table, where)
    try:
        found = guess(data)
    except InputError as error:
        raise InputError(f"{where}: {table}: {error}") from None
    with_dates_as_levels(found, data)
    keys = {"data": table, "subject": found.subject, "wide": found.wide}
    keys |= {"condition": found.condition, "levels": found.levels}
    keys = {key: value for key, value in keys.items() if value}
    keys, dropped, codes, random = with_codes(keys, [found.formula, *found.simpler], name)
    if keys["formula"] != found.formula:
        words = f"The data do not support {found.formula}, so this one is simpler."
        found.reasons["formula"].append(words)
    found.reasons["formula"].append(random)
    absent = " and ".join(f"{count} in {column}" for column, count in dropped.items())
    why = {
        "missing": f"Values are missing, {absent}: these rows are left out, and counted.",
        "replicates": "A few cells hold several rows, which count as repeated measurements.",
        "levels": "Numbers that stand for labels; without this line they are on a scale.",
    }
    found.reasons |= {key: [words] for key, words in why.items() if key in keys}
    if codes:
        found.reasons["missing_values"] = [f"{code.column}: {code.words}." for code in codes]
        found.reasons["missing_values"] += ["So these are taken for missing; if not, delete this."]
    notes = [f"Guessed by new_study from {len(data):,} rows and {len(data.columns)} columns."]
    notes += left_out(found.unused, data) + unread
    notes.append(
        "If a guess is wrong, change it here; config/README.md explains every key, "
        "such as title: and unit: for the page."
    )
    return found, keys, notes


def left_out(unused: Mapping[str, str], data: pd.DataFrame) -> list[str]:
    """A note for every reason for which columns are left out, with their names."""
    alike: dict[str, list[str]] = {}
    for name in data.columns:
        if name in unused:
            alike.setdefault(unused[name], []).append(quoted(name))
    return [f"Not used: {listed(names, 30)}: {reason}." for reason, names in alike.items()]


def with_dates_as_levels(found: Guess, data: pd.DataFrame) -> None:
    """Write C() around dates in the formulas: as numbers, they would need a unit and a zero."""
    for name in parse(found.formula).variables:
        if name in data and not is_number(data[name]) and is_date(data[name].cat.categories):
            plain = re.compile(rf"`{re.escape(name)}`|(?<![\w.]){re.escape(name)}(?![\w.])")
            found.formula, *found.simpler = (
                plain.sub(lambda found: f"C({found[0]})", formula)
                for formula in (found.formula, *found.simpler)
            )
            found.reasons["formula"].append(
                f"{name}: dates, each a level; for a straight line, write the days since the first "
                "into the table, as numbers."
            )


def columns_of(table: str, where: str) -> tuple[pd.DataFrame, list[str]]:
    """The columns of a table, of the first file if there are many, and what cannot be read."""
    first = TableFiles(TableFiles(table, where, {}).paths[0], where, {})
    names = [name for name in first.header if name.strip()]
    try:
        return Reader(first, names).whole().data, []
    except InputError:
        columns, unread = {}, []
        for name in names:
            try:
                columns[name] = Reader(first, [name]).whole().data[name]
            except InputError as error:
                problem = str(error).removeprefix(f"{where}: ")
                # What two columns have in common is wrong with the file.
                if problem in unread:
                    raise
                unread.append(problem)
        if len(columns) < 2:
            raise
        return pd.DataFrame(columns), [f"Not read: {problem}." for problem in unread]


def with_codes(
    keys: dict[str, Any], formulas: list[str], name: str
) -> tuple[dict[str, Any], dict[str, int], list[LikelyCode], str]:
    """`tried_out` with the numbers that look like codes for missing values taken for such."""
    tried, loaded, random = tried_out(keys, formulas, name)
    codes: list[LikelyCode] = loaded.likely
    if codes:
        listed: dict[str, list[int]] = {}
        for code in codes:
            listed.setdefault(code.column, []).append(code.code)
        tried, loaded, random = tried_out(keys | {"missing_values": listed}, formulas, name)
    return tried, loaded.dropped, codes, random


def what_is_random(fit: MixedFit) -> str:
    """The random part in words, and as one would write it."""
    terms = [RandomTerm(**term) for term in random_terms(fit)]
    return (
        f"Each subject has {plain(what_subjects_have(terms))}, as its rows support: {fit.random}."
    )


def tried_out(
    keys: dict[str, Any], formulas: list[str], name: str
) -> tuple[dict[str, Any], Loaded, str]:
    """The keys with the first of these formulas that can be fitted, and what has to be allowed.

    Also the table as it is loaded by them, and what is random in the model in words.
    """
    first = None
    keys = dict(keys)
    levels = keys.pop("levels", {})
    for formula in formulas:
        for allowed in ((), ("missing",), ("replicates",), ("missing", "replicates")):
            tried = {**keys, "formula": formula, **{key: ALLOWED[key] for key in allowed}}
            if levels := {n: v for n, v in levels.items() if n in parse(formula).variables}:
                tried["levels"] = levels
            try:
                study = load({"studies": {name: tried}}).studies[name]
                loaded = load_table(study=name, **study.table)
                fit = fit_mixed(formula, loaded.observations.typed, study.subject)
            except InputError as error:
                first = first or error
            else:
                return tried, loaded, what_is_random(fit)
    raise first


if __name__ == "__main__":
    run(main, snakemake)
