"""What the figures of a replication study are drawn from, read once for all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from twolevel.summaries.plan_summary import PlanSummary
    from twolevel.summaries.replication_summary import ReplicationSummary


@dataclass(frozen=True)
class ReplicationSources:
    """The results of a replication study, each by the name of its file."""

    replication: ReplicationSummary
    plan: PlanSummary
    measures: pd.DataFrame
    distributions: pd.DataFrame

    def with_most_replicates(self) -> ReplicationSources:
        """Those of the designs with the most observations in a cell, which figures show."""
        most = max(self.replication.axes.replicates)
        rows = [row for row in self.plan.rows if row.replicates == most]
        measures, distributions = (
            table[table["replicates"] == most] for table in (self.measures, self.distributions)
        )
        plan = self.plan.model_copy(update={"rows": rows})
        return replace(self, plan=plan, measures=measures, distributions=distributions)
