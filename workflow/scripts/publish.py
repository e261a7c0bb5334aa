"""Put the site on a branch of the project's git repository, as for GitHub Pages.

Reads the pages of the site, and commits them to that branch alone; the work tree stays as it is.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from twolevel.page.hosting import push_site
from twolevel.pipeline.job import run
from twolevel.text.errors import listed

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake, snakemake


def main(snakemake: "Snakemake") -> None:
    """Publish, and say what everybody can read now, and where."""
    pages, params = [Path(page) for page in snakemake.input.pages], snakemake.params
    address = push_site(pages, params.remote, params.branch)
    print(f"Published {len(pages)} pages: branch {params.branch} of {params.remote}.")
    print(
        "Who can read that branch can read all that the pages show and carry: subjects by their "
        "names in the table, their observations in figures, and the tables."
    )
    if params.shared:
        print(
            f"The pages of {listed(params.shared)} carry the observations as data.csv, where these "
            "are not too large; share_data: false in a study's entry of the config keeps them."
        )
    if address:
        print(
            f"Open {address} in a minute; the first time, say in the repository's settings, under "
            f'Pages, "Deploy from a branch": {params.branch}, / (root).'
        )


if __name__ == "__main__":
    run(main, snakemake)
