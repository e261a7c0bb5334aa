"""Build the site: every study's page, and an index over them, ready to publish.

Reads the studies' pages and summaries and the index template; makes site/.
"""

from typing import TYPE_CHECKING

from twolevel.page.site import publish
from twolevel.pipeline.job import run

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Publish all studies; where one fails, this job does not run (see rules/failures.smk)."""
    publish(snakemake, failed={})


if __name__ == "__main__":
    run(main, snakemake)
