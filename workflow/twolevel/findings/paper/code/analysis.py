"""What a program has to know of a study to make its analysis again, in the user's own names."""

from __future__ import annotations

from dataclasses import dataclass

from twolevel.findings.results import Results
from twolevel.findings.varying.random_words import is_intercept
from twolevel.random.bars import MixedFormula, read_bars
from twolevel.summaries.design_summary import DescribedVariable
from twolevel.text.methods import ContrastError

# Subjects up to which least squares with columns for each of them is no burden.
FEW_SUBJECTS = 500


@dataclass(frozen=True)
class Analysis:
    """A study's analysis, step by step.

    formula has the fixed part and the bars; terms are those of the fixed part with their variables.
    pairs are the factors whose levels are compared, with that within whose levels they are, or
    None; slopes the numbers whose effect is a line. own_fits says that every subject has a fit of
    its own effects; partitioned, that there is an ANOVA, and crossed, that it is one of factors
    with all their interactions; even, that every subject has the same number of rows under each
    level of the condition, and nothing else varies within it.
    """

    formula: MixedFormula
    subject: str
    one_subject: str
    variables: tuple[DescribedVariable, ...]
    terms: dict[str, list[str]]
    pairs: tuple[tuple[str, str | None], ...]
    slopes: tuple[str, ...]
    n_subjects: int
    n_rows: int
    per_subject: int
    intercept_only: bool
    own_fits: bool
    partitioned: bool
    crossed: bool
    even: bool
    adjust: str
    contrast_error: ContrastError
    level: float

    @property
    def response(self) -> str:
        """The column that is analysed."""
        return self.formula.names.response

    @property
    def factors(self) -> list[DescribedVariable]:
        """The variables that are factors."""
        return [each for each in self.variables if each.levels is not None]

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns besides the subject that only name levels of what is random."""
        return tuple(name for name in self.formula.labels if name != self.subject)

    def names(self, within: bool) -> list[str]:
        """The variables that vary within subjects, or those that do not."""
        return [each.name for each in self.variables if each.within == within]


def analysis(found: Results) -> Analysis:
    """The analysis that a study's page shows."""
    mixed, design = found.mixed, found.design
    variables = tuple(design.descriptives.variables)
    factors = {each.name for each in variables if each.levels is not None}
    pairs: list[tuple[str, str | None]] = []
    if found.condition in factors:
        pairs.append((str(found.condition), None))
    for factor in mixed.factors:
        pairs.append((factor.factor, None))
        if factor.within and found.condition in factors:
            pairs.append((str(found.condition), factor.factor))
    within = {each.name for each in variables if each.within}
    return Analysis(
        formula=read_bars(f"{mixed.formula} + {mixed.random}"),
        subject=design.columns["subject"],
        one_subject=design.one_subject.subject,
        variables=variables,
        terms=mixed.terms,
        pairs=tuple(pairs),
        slopes=tuple(slope.variable for slope in mixed.slopes),
        n_subjects=design.n_subjects,
        n_rows=design.n_observations,
        per_subject=design.per_subject[0],
        intercept_only=is_intercept(mixed),
        own_fits=is_intercept(mixed) or found.level1.own is not None,
        partitioned=found.anova.available,
        crossed=found.anova.available and is_crossed(variables, mixed.terms),
        even=design.balanced and within <= {found.condition},
        adjust=mixed.adjust,
        contrast_error=mixed.contrast_error,
        level=mixed.level,
    )


def is_crossed(variables: tuple[DescribedVariable, ...], terms: dict[str, list[str]]) -> bool:
    """Whether the terms are those of factors alone, with all their interactions."""
    combinations = {frozenset(names) for names in terms.values()}
    only_factors = all(each.levels is not None for each in variables)
    return (
        bool(variables)
        and only_factors
        and len(combinations) == 2 ** len(variables) - 1 == len(terms)
    )
