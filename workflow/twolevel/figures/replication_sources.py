"""What the figures of a replication study are drawn from, read once for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from twolevel.findings.of_replication.config_words import SpreadWords
    from twolevel.summaries.plan_summary import PlanSummary
    from twolevel.summaries.replication_summary import ReplicationSummary


@dataclass(frozen=True)
class ReplicationSources:
    """The results of a replication study, each by the name of its file, and words for its grid."""

    replication: ReplicationSummary
    plan: PlanSummary
    spread: SpreadWords
    measures: pd.DataFrame
    distributions: pd.DataFrame
