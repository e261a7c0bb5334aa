"""What a design holds, what it lacks, and what one subject's data can support."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from twolevel.design.design_matrix import DesignMatrix
from twolevel.design.shards import Shards
from twolevel.random.random_columns import RandomColumns
from twolevel.random.supported import Support, supported

MOST_PATTERNS = 12


@dataclass(frozen=True, eq=False)
class OneSubject:
    """One subject's own two fits: `response ~ condition` and `response ~ 1`.

    saturated says that the first has no residual degree of freedom (df_condition = 0), so that
    its residuals are all 0; sd_condition is then None. intercept, intercept_se and
    intercept_sd belong to the second, in the response's unit.
    """

    subject: str
    observations: pd.DataFrame
    df_condition: int
    sd_condition: float | None
    intercept: float
    intercept_se: float | None
    intercept_sd: float | None
    df_intercept: int

    @property
    def saturated(self) -> bool:
        """Whether the subject's own fit of the conditions leaves nothing to estimate error from."""
        return self.df_condition == 0


@dataclass(frozen=True, eq=False)
class Patterns:
    """The ways in which subjects' observations fall into conditions, the most frequent first.

    counts (m, J): the observations in each cell of a pattern's subjects; n_subjects (m,): how many
    these are. rest more patterns, of rest_subjects subjects, are not listed.
    """

    counts: np.ndarray
    n_subjects: np.ndarray
    rest: int
    rest_subjects: int


@dataclass(frozen=True, eq=False)
class Design:
    """Counts of subjects, conditions (J), observations (N) and cells.

    balanced: every cell holds the same number of observations, at least one. per_condition counts
    the observations, seen_under the subjects under each condition; complete is what is left of
    subjects and observations when only subjects seen under all conditions are kept, and
    single_subjects is how many have one observation only.
    """

    n_subjects: int
    n_observations: int
    conditions: tuple
    per_subject: tuple[int, int]
    per_cell: tuple[int, int]
    empty_cells: int
    repeated_cells: int
    incomplete_subjects: int
    per_condition: dict
    seen_under: dict
    complete: dict[str, int]
    single_subjects: int
    patterns: Patterns
    one_subject: OneSubject

    @property
    def balanced(self) -> bool:
        """Whether every cell holds the same number of observations, at least one."""
        return self.per_cell[0] == self.per_cell[1]

    @property
    def replicated(self) -> bool:
        """Whether some cell holds more than one observation."""
        return self.per_cell[1] > 1

    def summary(self) -> dict:
        """Everything as plain values, for a JSON file."""
        return {
            **vars(self),
            "balanced": self.balanced,
            "replicated": self.replicated,
            "one_subject": {**vars(self.one_subject), "saturated": self.one_subject.saturated},
        }


@dataclass(frozen=True, eq=False)
class DescribedRandomPart:
    """A model's random part, as a formula has it, and what the subjects' data support.

    intercept_only says that subjects have nothing but a mean of their own; own_coefficients is how
    many of its effects the rows of the one subject looked at can tell apart, and own_fitted what
    least squares fits with these to its rows alone, in the response's unit and in their order.
    """

    random: str
    intercept_only: bool
    own_coefficients: int
    own_fitted: np.ndarray
    supported: Support

    def summary(self) -> dict:
        """Everything as plain values, for a JSON file."""
        own_fitted = self.own_fitted.tolist()
        return {**vars(self), "own_fitted": own_fitted, "supported": self.supported.summary()}


def describe_random_part(
    design: DesignMatrix, random: RandomColumns, one: OneSubject
) -> DescribedRandomPart:
    """Say what is random in a model (N rows), and what could be; of shards, in their sample."""
    subject = int(np.flatnonzero(design.subjects.astype(str) == one.subject)[0])
    own = random.expanded(np.flatnonzero(design.codes == subject)).T
    basis, sizes, _ = np.linalg.svd(own, full_matrices=False)
    # The tolerance of numpy's matrix_rank.
    rank = int((sizes > sizes.max() * max(own.shape) * np.finfo(float).eps).sum())
    response = one.observations["response"].to_numpy(float)
    return DescribedRandomPart(
        random=str(random.part),
        intercept_only=random.part.is_intercept,
        own_coefficients=rank,
        own_fitted=basis[:, :rank] @ (basis[:, :rank].T @ response),
        supported=random.support or supported(design),
    )


def describe_design(data: pd.DataFrame | Shards) -> Design:
    """Count the cells of a table with columns subject, condition and response (N rows).

    The one subject looked at is the first with the most conditions; of shards, in their sample.
    """
    if isinstance(data, Shards):
        sample, n = data.sample, len(data.subjects)
        levels = _levels(sample["condition"])
        cells = np.zeros((n, len(levels)), dtype=np.intp)
        for part in data.parts():
            np.add.at(cells.reshape(-1), _numbers(part, part["subject"].to_numpy(), levels), 1)
        one = sample.assign(subject=data.subjects[sample["subject"]])
    else:
        codes, subjects = pd.factorize(data["subject"])
        levels, one = _levels(data["condition"]), data
        cells = _cells(data, codes, len(subjects), levels)
    n, J = cells.shape
    per_subject = cells.sum(axis=1)
    seen = (cells > 0).sum(axis=1)
    complete = seen == J
    return Design(
        n_subjects=n,
        n_observations=int(cells.sum()),
        conditions=tuple(levels),
        per_subject=(int(per_subject.min()), int(per_subject.max())),
        per_cell=(int(cells.min()), int(cells.max())),
        empty_cells=int((cells == 0).sum()),
        repeated_cells=int((cells > 1).sum()),
        incomplete_subjects=int((~complete).sum()),
        per_condition=dict(zip(levels, cells.sum(axis=0).tolist(), strict=True)),
        seen_under=dict(zip(levels, (cells > 0).sum(axis=0).tolist(), strict=True)),
        complete={
            "n_subjects": int(complete.sum()),
            "n_observations": int(per_subject[complete].sum()),
        },
        single_subjects=int((per_subject == 1).sum()),
        patterns=_patterns(cells),
        one_subject=_one_subject(_fullest(one)),
    )


def _levels(condition: pd.Series) -> list:
    if isinstance(condition.dtype, pd.CategoricalDtype):
        return list(condition.cat.categories)
    return sorted(condition.unique())


def _cells(data: pd.DataFrame, codes: np.ndarray, n: int, levels: list) -> np.ndarray:
    """The numbers of rows (n, J) of each subject under each condition."""
    J = len(levels)
    return np.bincount(_numbers(data, codes, levels), minlength=n * J).reshape(n, J)


def _numbers(data: pd.DataFrame, codes: np.ndarray, levels: list) -> np.ndarray:
    """Which of all cells (n, J) each row is in, numbered with the condition's levels fastest."""
    condition = data["condition"]
    if isinstance(condition.dtype, pd.CategoricalDtype):
        place = condition.cat.codes.to_numpy()
    else:
        place = np.searchsorted(levels, condition)
    return codes * len(levels) + place


def _fullest(data: pd.DataFrame) -> pd.DataFrame:
    """The rows of the first subject with the most conditions."""
    codes, names = pd.factorize(data["subject"])
    levels = _levels(data["condition"])
    seen = (_cells(data, codes, len(names), levels) > 0).sum(axis=1)
    return data[codes == int(np.argmax(seen))]


def _patterns(cells: np.ndarray) -> Patterns:
    """The most frequent rows of a table (n, J) of counts."""
    counts, often = np.unique(cells, axis=0, return_counts=True)
    order = np.lexsort((*-counts.T[::-1], -often))
    shown, others = order[:MOST_PATTERNS], order[MOST_PATTERNS:]
    return Patterns(counts[shown], often[shown], len(others), int(often[others].sum()))


def _one_subject(rows: pd.DataFrame) -> OneSubject:
    y = rows["response"].to_numpy()
    groups = rows.groupby("condition", observed=True)["response"]
    df_condition = len(y) - groups.ngroups
    residual = y - groups.transform("mean").to_numpy()
    df_intercept = len(y) - 1
    sd = float(np.std(y, ddof=1)) if df_intercept else None
    return OneSubject(
        subject=str(rows["subject"].iloc[0]),
        observations=rows[["condition", "response"]],
        df_condition=df_condition,
        sd_condition=float(np.sqrt(residual @ residual / df_condition)) if df_condition else None,
        intercept=float(y.mean()),
        intercept_se=sd / np.sqrt(len(y)) if sd is not None else None,
        intercept_sd=sd,
        df_intercept=df_intercept,
    )
