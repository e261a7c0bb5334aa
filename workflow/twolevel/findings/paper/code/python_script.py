"""A study's analysis as a script in Python, with this project's library."""

from __future__ import annotations

from twolevel.findings.paper.code.analysis import Analysis
from twolevel.text.numbers import written


def python_script(of: Analysis) -> str:
    """The script; `data.csv` is the long form that the page offers."""
    sections = [_start(of), _subjects(of), _mixed(of), _anova(of), _means(of)]
    return "\n\n".join("\n".join(lines) for lines in sections)


def _start(of: Analysis) -> list[str]:
    texts = [of.subject, *of.labels]
    texts += [
        each.name for each in of.factors if any(isinstance(v, str) for v in each.levels or [])
    ]
    types = ", ".join(f"{name!r}: str" for name in dict.fromkeys(texts))
    return [
        "import pandas as pd",
        "import twolevel as tl",
        "",
        f'data = pd.read_csv("data.csv", dtype={{{types}}}, keep_default_na=False)',
        *(_factor(each.name, each.levels) for each in of.factors if each.levels is not None),
        f"formula = {of.formula.text!r}",
        f"subject = {of.subject!r}",
    ]


def _factor(name: str, levels: list) -> str:
    listed = [repr(v) if isinstance(v, str) else written(float(v)) for v in levels]
    return f"data[{name!r}] = pd.Categorical(data[{name!r}], [{', '.join(listed)}])"


def _subjects(of: Analysis) -> list[str]:
    return [
        "# Step 1: one subject",
        f"print(data.loc[data[subject] == {of.one_subject!r}, {of.response!r}].describe())",
        "",
        "# Step 2: every subject, with effects that all share",
        "level1 = tl.fit_subjects(formula, data, subject)",
        "print(level1.sigma_within)",
        "",
        "# Step 3: two levels",
        "print(tl.fit_hierarchical(level1).sigma_between)",
    ]


def _mixed(of: Analysis) -> list[str]:
    return [
        "# Step 4: the mixed model, by REML",
        "fit = tl.fit_mixed(formula, data, subject)",
        "print(fit.summary())",
        "print(fit.varcorr)",
        f"print(fit.profile(level={of.level:g}))",
    ]


def _anova(of: Analysis) -> list[str]:
    if not of.partitioned:
        return ["# Step 5: this design has no exact ANOVA"]
    return [
        "# Step 5: the ANOVA with partitioned errors",
        f"anova = tl.partition_errors({of.formula.fixed!r}, data, subject, level={of.level:g})",
        "print(anova.table)",
        "print(anova.sphericity)",
    ]


def _means(of: Analysis) -> list[str]:
    lines = ["# Step 6: marginal means, their differences, and slopes"]
    own = of.contrast_error == "own"
    if own:
        lines.insert(0, "from twolevel.strata.own_error import own_error_contrasts\n")
    for factor, by in of.pairs:
        within = f", by={by!r}" if by else ""
        more = f'{factor!r}, adjust="{of.adjust}"{within}, level={of.level:g}'
        call = f"own_error_contrasts(fit.design, {more})" if own else f"fit.contrasts({more})"
        lines += [f"print(fit.means({factor!r}{within}))", f"print({call})"]
    lines += [f"print(fit.slopes({number!r}, level={of.level:g}))" for number in of.slopes]
    return [*lines, *([] if of.pairs or of.slopes else ["print(fit.means())"])]
