"""A study's analysis as a script in R: lme4 with lmerTest and pbkrtest, afex, emmeans.

Factors sum to zero (contr.sum), as Type III tests need it, and their levels are in this page's
order. `data.csv` is the long form that the page offers.
"""

from __future__ import annotations

from collections.abc import Iterable

from twolevel.findings.paper.code.analysis import FEW_SUBJECTS, Analysis
from twolevel.findings.paper.code.formula_in_r import (
    in_r,
    is_plain,
    name_in_r,
    text_in_r,
    vector_in_r,
)
from twolevel.summaries.design_summary import DescribedVariable
from twolevel.text.numbers import written

# Rows up to which pbkrtest, which takes the square of their number, is asked.
FEW_ROWS = 5_000
_IN_EMMEANS = 3_000  # up to which emmeans asks it unless told otherwise


def r_script(of: Analysis) -> str | None:
    """The script; None where R has no counterpart of a function in the formula."""
    fixed, model = in_r(of.formula.fixed), in_r(of.formula.text)
    if fixed is None or model is None:
        return None
    sections = [
        _start(of),
        _subjects(of, fixed),
        _mixed(of, model),
        *([_anova(of)] if of.crossed else []),
        _means(of),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def _start(of: Analysis) -> list[str]:
    labels = [of.subject, *of.labels, *(each.name for each in of.factors if _is_text(each))]
    classes = [f'{text_in_r(name)} = "character"' for name in dict.fromkeys(labels)]
    few = of.n_rows <= FEW_ROWS
    return [
        "library(lmerTest)  # lme4 with tests of terms; it needs pbkrtest",
        "library(emmeans)",
        'options(contrasts = c("contr.sum", "contr.poly"))  # as Type III tests need them',
        *(
            [f"emm_options(pbkrtest.limit = {of.n_rows})"]
            if of.n_rows > _IN_EMMEANS and few
            else []
        ),
        *([] if few else ['emm_options(lmer.df = "satterthwaite")']),
        "",
        "data <- read.csv(",
        '  "data.csv", check.names = FALSE, encoding = "UTF-8", na.strings = character(),',
        f"  colClasses = {vector_in_r(classes)}",
        ")",
        *(
            f"{_column(name)} <- factor({_column(name)})"
            for name in (of.subject, *of.labels)
            if name not in {each.name for each in of.factors}
        ),
        *(_factor(each) for each in of.factors),
    ]


def _is_text(factor: DescribedVariable) -> bool:
    return any(isinstance(level, str) for level in factor.levels or [])


def _column(name: str) -> str:
    return f"data[[{text_in_r(name)}]]"


def _factor(factor: DescribedVariable) -> str:
    levels = [
        text_in_r(level) if isinstance(level, str) else written(float(level))
        for level in factor.levels or []
    ]
    column = _column(factor.name)
    return f"{column} <- factor({column}, levels = {vector_in_r(levels)})"


def _subjects(of: Analysis, fixed: str) -> list[str]:
    """Steps 1 to 3, by least squares."""
    response, subject = name_in_r(of.response), name_in_r(of.subject)
    lines = [
        "# Step 1: one subject",
        f"summary(lm({response} ~ {_of_one(of)}, data, "
        f"subset = {subject} == {text_in_r(of.one_subject)}))",
    ]
    if of.n_subjects > FEW_SUBJECTS or not of.own_fits:
        return lines
    own = _own_effects(of)
    lines += [
        "",
        "# Step 2: every subject, with effects that all share",
        f"level1 <- lm({fixed} + {own}, data)",
        "sigma(level1)  # sigma_w",
    ]
    if of.intercept_only and of.even:
        lines += [
            "",
            "# Step 3: two levels, from the variance of subjects' means",
            f"means <- tapply({_column(of.response)}, {_column(of.subject)}, mean)",
            f"profiles <- data[!duplicated({_column(of.subject)}), ]",
            f"profiles$subject_mean <- means[as.character(profiles[[{text_in_r(of.subject)}]])]",
            f"level2 <- lm(subject_mean ~ {_between(of)}, profiles)",
            f"sqrt(max(0, sigma(level2)^2 - sigma(level1)^2 / {of.per_subject}))  # sigma_b",
        ]
    return lines


def _of_one(of: Analysis) -> str:
    """What one subject's own fit has: what stands left of the bar of the subject alone."""
    own = [bar.formula for bar in of.formula.bars if bar.grouping == (of.subject,)]
    slopes = [in_r(text) or "1" for text in own if text != "1"]
    return " + ".join(slopes).replace("0 + ", "") or "1"


def _own_effects(of: Analysis) -> str:
    """Columns for each subject of what the bars give it."""
    columns = []
    for bar in of.formula.bars:
        grouping = ":".join(name_in_r(name) for name in bar.grouping)
        intercept, _, others = bar.formula.partition(" + ")
        columns += [grouping] if intercept == "1" else []
        columns += [f"{grouping}:({in_r(others)})"] if others else []
    return " + ".join(columns)


def _between(of: Analysis) -> str:
    """The terms that differ between subjects only."""
    within = set(of.names(within=True))
    terms = [in_r(term) or "" for term, names in of.terms.items() if not within & set(names)]
    return " + ".join(terms) or "1"


def _mixed(of: Analysis, model: str) -> list[str]:
    ddf = "Kenward-Roger" if of.n_rows <= FEW_ROWS else "Satterthwaite"
    why = "" if of.n_rows <= FEW_ROWS else "; Kenward-Roger takes too much memory for these rows"
    return [
        "# Step 4: the mixed model, by REML",
        f"model <- lmer({model}, data)",
        "VarCorr(model)",
        *([f'tests <- anova(model, ddf = "{ddf}")  # Type III{why}', "tests"] if of.terms else []),
        "try(confint(model, oldNames = FALSE))  # by profile likelihood, which may fail in lme4",
    ]


def _for_afex(of: Analysis) -> dict[str, str]:
    """The columns under names that afex can read: their own, or short ones."""
    names = [of.subject, of.response, *(each.name for each in of.variables)]
    if all(map(is_plain, names)):
        return dict(zip(names, names, strict=True))
    short = ["id", "y", *(f"x{k}" for k in range(1, len(names) - 1))]
    return dict(zip(names, short, strict=True))


def _anova(of: Analysis) -> list[str]:
    names = _for_afex(of)
    lines, table = ["# Step 5: the ANOVA with partitioned errors", "library(afex)"], "data"
    if names[of.subject] != of.subject or names[of.response] != of.response:
        table = "renamed"
        lines += [
            "renamed <- setNames(  # as afex needs them",
            f"  data[{_texts(names)}],",
            f"  {_texts(names.values())}",
            ")",
        ]
    sides = [
        f"{side} = {_texts(names[name] for name in of.names(within))}"
        for side, within in (("between", False), ("within", True))
        if of.names(within)
    ]
    return [
        *lines,
        "partitioned <- aov_ez(",
        f"  {text_in_r(names[of.subject])}, {text_in_r(names[of.response])}, {table},",
        f"  {', '.join(sides)}, fun_aggregate = mean",
        ")",
        'partitioned_tests <- anova(partitioned, correction = "none", es = c("ges", "pes"))',
        "partitioned_tests",
        "summary(partitioned)  # with sphericity and its corrections",
    ]


def _means(of: Analysis) -> list[str]:
    lines = ["# Step 6: marginal means, their differences, and slopes"]
    names, fit, error = {each.name: each.name for each in of.variables}, "model", ""
    if of.contrast_error == "own" and of.crossed:
        names, fit, error = _for_afex(of), "partitioned", ', model = "multivariate"'
    intervals = "bonferroni" if of.adjust == "holm" else of.adjust  # Holm's method has none
    for k, (factor, by) in enumerate(of.pairs, 1):
        within = f", by = {text_in_r(names[by])}" if by else ""
        lines += [
            f"means_{k} <- emmeans({fit}, {text_in_r(names[factor])}{within}{error})",
            f"confint(means_{k}, level = {of.level:g})",
            f"pairs_{k} <- pairs(means_{k})",
            f'summary(pairs_{k}, adjust = "{of.adjust}")',
            f'confint(pairs_{k}, adjust = "{intervals}", level = {of.level:g})',
        ]
    for k, number in enumerate(of.slopes, 1):
        lines += [f"slopes_{k} <- emtrends(model, ~ 1, var = {text_in_r(number)})"]
        lines += [f"summary(slopes_{k}, infer = TRUE, level = {of.level:g})"]
    return [*lines, *([] if of.pairs or of.slopes else ["emmeans(model, ~ 1)"])]


def _texts(names: Iterable[str]) -> str:
    return vector_in_r([text_in_r(name) for name in names])
