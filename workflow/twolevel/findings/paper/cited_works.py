"""What a paper cites for the methods and the software of a page, as text and as BibTeX."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A work: as a sentence cites it in brackets, and its entry in BibTeX without the key."""

    cited: str
    kind: str
    fields: Mapping[str, str]

    def entry(self, key: str) -> str:
        """The entry in BibTeX."""
        fields = "".join(f",\n  {name} = {{{value}}}" for name, value in self.fields.items())
        return f"@{self.kind}{{{key}{fields}\n}}"


def _article(cited: str, author: str, title: str, journal: str, **more: str) -> Source:
    year = cited[-4:]
    fields = {"author": author, "title": title, "journal": journal, "year": year}
    return Source(cited, "article", fields | more)


SOURCES: dict[str, Source] = {
    "laird1982": _article(
        "Laird & Ware, 1982",
        "Laird, Nan M. and Ware, James H.",
        "Random-effects models for longitudinal data",
        "Biometrics",
        volume="38",
        pages="963--974",
        doi="10.2307/2529876",
    ),
    "bates2015": _article(
        "Bates et al., 2015",
        'Bates, Douglas and M{\\"a}chler, Martin and Bolker, Ben and Walker, Steve',
        "Fitting linear mixed-effects models using lme4",
        "Journal of Statistical Software",
        volume="67",
        number="1",
        pages="1--48",
        doi="10.18637/jss.v067.i01",
    ),
    "kenward1997": _article(
        "Kenward & Roger, 1997",
        "Kenward, Michael G. and Roger, James H.",
        "Small sample inference for fixed effects from restricted maximum likelihood",
        "Biometrics",
        volume="53",
        pages="983--997",
        doi="10.2307/2533558",
    ),
    "halekoh2014": _article(
        "Halekoh & Højsgaard, 2014",
        "Halekoh, Ulrich and H{\\o}jsgaard, S{\\o}ren",
        "A {Kenward--Roger} approximation and parametric bootstrap methods for tests in linear "
        "mixed models: The {R} package pbkrtest",
        "Journal of Statistical Software",
        volume="59",
        number="9",
        pages="1--32",
        doi="10.18637/jss.v059.i09",
    ),
    "crainiceanu2004": _article(
        "Crainiceanu & Ruppert, 2004",
        "Crainiceanu, Ciprian M. and Ruppert, David",
        "Likelihood ratio tests in linear mixed models with one variance component",
        "Journal of the Royal Statistical Society: Series B",
        volume="66",
        pages="165--185",
        doi="10.1111/j.1467-9868.2004.00438.x",
    ),
    "greenhouse1959": _article(
        "Greenhouse & Geisser, 1959",
        "Greenhouse, Samuel W. and Geisser, Seymour",
        "On methods in the analysis of profile data",
        "Psychometrika",
        volume="24",
        pages="95--112",
        doi="10.1007/BF02289823",
    ),
    "mauchly1940": _article(
        "Mauchly, 1940",
        "Mauchly, John W.",
        "Significance test for sphericity of a normal n-variate distribution",
        "The Annals of Mathematical Statistics",
        volume="11",
        pages="204--209",
        doi="10.1214/aoms/1177731915",
    ),
    "olejnik2003": _article(
        "Olejnik & Algina, 2003",
        "Olejnik, Stephen and Algina, James",
        "Generalized eta and omega squared statistics: Measures of effect size for some common "
        "research designs",
        "Psychological Methods",
        volume="8",
        pages="434--447",
        doi="10.1037/1082-989X.8.4.434",
    ),
    "holm1979": _article(
        "Holm, 1979",
        "Holm, Sture",
        "A simple sequentially rejective multiple test procedure",
        "Scandinavian Journal of Statistics",
        volume="6",
        pages="65--70",
    ),
    "kramer1956": _article(
        "Kramer, 1956",
        "Kramer, Clyde Young",
        "Extension of multiple range tests to group means with unequal numbers of replications",
        "Biometrics",
        volume="12",
        pages="307--310",
        doi="10.2307/3001469",
    ),
    "lakens2013": _article(
        "Lakens, 2013",
        'Lakens, Dani{\\"e}l',
        "Calculating and reporting effect sizes to facilitate cumulative science",
        "Frontiers in Psychology",
        volume="4",
        pages="863",
        doi="10.3389/fpsyg.2013.00863",
    ),
    "harris2020": _article(
        "Harris et al., 2020",
        "Harris, Charles R. and Millman, K. Jarrod and van der Walt, St{\\'e}fan J. and others",
        "Array programming with {NumPy}",
        "Nature",
        volume="585",
        pages="357--362",
        doi="10.1038/s41586-020-2649-2",
    ),
    "virtanen2020": _article(
        "Virtanen et al., 2020",
        "Virtanen, Pauli and Gommers, Ralf and Oliphant, Travis E. and others",
        "{SciPy} 1.0: Fundamental algorithms for scientific computing in {Python}",
        "Nature Methods",
        volume="17",
        pages="261--272",
        doi="10.1038/s41592-019-0686-2",
    ),
    "molder2021": _article(
        "Mölder et al., 2021",
        'M{\\"o}lder, Felix and Jablonski, Kim Philipp and Letcher, Brice and others',
        "Sustainable data analysis with {Snakemake}",
        "F1000Research",
        volume="10",
        pages="33",
        doi="10.12688/f1000research.29032.2",
    ),
}


def this_software(citation: Mapping[str, object]) -> str:
    """The entry of this project, from what its CITATION.cff says."""
    authors = citation["authors"]
    assert isinstance(authors, list)
    # An organisation's name in braces is no person's.
    named = " and ".join(
        f"{{{who['name']}}}" if "name" in who else f"{who['family-names']}, {who['given-names']}"
        for who in authors
    )
    fields = {"author": named, "title": f"{{{citation['title']}}}"}
    fields |= {"version": str(citation["version"])}
    fields |= {key: str(citation[key]) for key in ("doi", "url") if key in citation}
    return Source("", "software", fields).entry("twolevel")


def bibliography(texts: Iterable[str], citation: Mapping[str, object]) -> str:
    """The BibTeX of this software and of all sources that the texts cite."""
    said = " ".join(texts)
    entries = [source.entry(key) for key, source in SOURCES.items() if source.cited in said]
    return "\n\n".join([this_software(citation), *entries])
