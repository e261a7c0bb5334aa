"""The two levels in braces, one put into the other, and the mixed model that they collapse into.

In the lecture's case

    Level 1  y_ij = mu_i + alpha_j + eta_ij,     Level 2  mu_i = mu + S_i,

so that y_ij = (mu + S_i) + alpha_j + eta_ij. A subject's own slope beta_i = beta + B_i, and its own
effect of each level alpha_ij = alpha_j + S_i,a, stand there in the same way; own effects of another
kind as vectors. Dots stand for what else the formula has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twolevel.findings.varying.random_maths import (
    ERROR,
    aligned,
    column,
    law,
    laws_in_symbols,
    side_by_side,
    symbols,
    vector,
)
from twolevel.findings.varying.random_words import Own, has_slopes, own_effects
from twolevel.random.effect_names import INTERCEPT
from twolevel.text.markdown import Markdown, tex

if TYPE_CHECKING:
    from twolevel.findings.results import Results
    from twolevel.summaries.two_stage_summary import EffectCovarianceSummary, OwnEffectsSummary

_DOTS = r"\cdots"


@dataclass(frozen=True)
class TwoLevels:
    """Both levels in symbols and, by the two-stage estimates, in numbers; None where these fail.

    substituted is Level 2 put into Level 1, collapsed the mixed model that this is.
    """

    in_symbols: Markdown
    in_numbers: Markdown | None
    substituted: Markdown
    collapsed: Markdown


@dataclass
class _Model:
    """The summands of Level 1, the lines of Level 2, and the sums that these become.

    level1: what a subject's observation is the sum of, besides its error; level2: (name, value)
    of each summand that is a subject's own, of their names with what of the value is fixed;
    substituted and fixed, random: of the mixed model.
    """

    level1: list[str] = field(default_factory=list)
    level2: list[tuple[str, str]] = field(default_factory=list)
    of: dict[Own, tuple[str, str]] = field(default_factory=dict)
    substituted: list[str] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)
    random: list[str] = field(default_factory=list)

    def shared(self, *summands: str) -> None:
        """Add summands that all subjects share."""
        for part in (self.level1, self.substituted, self.fixed):
            part.extend(summands)

    def own(self, name: str, fixed: list[str], random: list[str], times: str = "") -> None:
        """Add a summand of a subject's own: `name`, the sum of what is fixed and what is random."""
        self.level1.append(name + times)
        self.level2.append((name, " + ".join([*fixed, *random])))
        self.substituted.append(rf"({' + '.join([*fixed, *random])}){times}")
        self.fixed += [part + times for part in fixed]
        self.random += [part + times for part in random]


def two_levels(found: Results) -> TwoLevels:
    """The two levels of a study's model."""
    model = _model(found, {}) or _vectors()
    laws = laws_in_symbols(found.mixed)
    numbers = _in_numbers(found)
    y = r"y_{ij} = "
    order = [*model.fixed, *model.random]
    if (
        not has_slopes(found.mixed.random_terms) and len(model.fixed) > 1
    ):  # as the lecture has it: mu + S_i + ...
        order = [model.fixed[0], *model.random, *model.fixed[1:]]
    return TwoLevels(
        in_symbols=_braces(model, laws),
        in_numbers=numbers,
        substituted=Markdown(y + " + ".join([*model.substituted, ERROR])),
        collapsed=Markdown(y + " + ".join([*order, ERROR])),
    )


def random_variables(found: Results) -> Markdown:
    """What changes from subject to subject, as random variables: mu_i and eta_ij with their laws.

    Own effects of levels are those around what all share; of another kind, they are theta_i.
    """
    model, laws = _model(found, {}), laws_in_symbols(found.mixed)
    if model is None:
        return Markdown(rf"\theta_i \sim N(C_i\beta,\, \Sigma), \qquad {laws[-1]}")
    said = []
    for own, law_of in zip(own_effects(found.mixed.random_terms), laws, strict=False):
        if own[0].within:
            said.append(str(law_of))
            continue
        names, fixed = ([model.of[each][k] for each in own] for k in (0, 1))
        if len(own) > 1:
            said.append(rf"{vector(names)} \sim N\left({vector(fixed)},\, \Sigma\right)")
        else:
            spread = law_of.partition(r"0,\,")[2]
            said.append(rf"{names[0]} \sim N({fixed[0]},\,{spread}")
    return side_by_side([*said, laws[-1]])


def _model(found: Results, known: Mapping[str, str]) -> _Model | None:
    """The model in symbols, or with what is known of these in their place; None for vectors."""
    terms = own_effects(found.mixed.random_terms)
    flat = [
        (each, symbol)
        for own, names in zip(terms, symbols(found.mixed), strict=True)
        for each, symbol in zip(own, names, strict=True)
    ]
    if any(each.of and (each.within or not each.is_slope) for each, _ in flat):
        return None
    slopes = [(each, symbol) for each, symbol in flat if each.is_slope]
    nested = [symbol for each, symbol in flat if each.within]
    between = [_DOTS] if len(found.two_stage.params) > 1 else []
    of_line = bool(slopes) and found.slope is not None and len(found.own_terms) == 1
    of_line = of_line and any(each.of == found.condition for each, _ in slopes)
    more = [_DOTS] if more_within(found) else []

    model = _Model()
    mean = known.get("mean", r"\mu_0" if slopes else r"\mu")
    intercepts = [(own, symbol) for own, symbol in flat if own.of is None and not own.within]
    for own, symbol in intercepts:
        model.own(r"\mu_i", [mean, *between], [symbol])
        model.of[own] = (r"\mu_i", " + ".join([mean, *between]))
    if not intercepts:
        model.shared(mean, *between)
    for k, (each, symbol) in enumerate(slopes, start=1):
        letter = r"\beta" if len(slopes) == 1 else rf"\beta^{{({k})}}"
        slope = known.get(f"slope of {each.of}", letter)
        across = [_DOTS] if found.interactions and each.of == found.condition else []
        model.own(f"{letter}_i", [slope, *across], [symbol], rf"\,{column(each.of)}_{{ij}}")
        model.of[each] = (f"{letter}_i", " + ".join([slope, *across]))
    shared = [r"\alpha_j"] if found.condition and not of_line else []
    if nested:
        model.own(r"\alpha_{ij}", [*shared, *more], nested)
    else:
        model.shared(*shared, *more)
    return model


def more_within(found: Results) -> bool:
    """Whether subjects' rows differ by more than the condition's own effects."""
    if found.level1.own is not None:
        return len(found.design.random_part.supported.candidates) > 1
    design = found.design
    within = design.n_observations - design.n_subjects - found.level1.df_resid
    return within > found.own_df


def _vectors() -> _Model:
    """The model of own effects of any kind: z_ij' theta_i, with theta_i = C_i beta + b_i."""
    return _Model(
        level1=[r"z_{ij}'\theta_i", r"x_{ij}'\gamma"],
        level2=[(r"\theta_i", r"C_i\beta + b_i")],
        substituted=[r"z_{ij}'(C_i\beta + b_i)", r"x_{ij}'\gamma"],
        fixed=[r"z_{ij}'C_i\beta", r"x_{ij}'\gamma"],
        random=[r"z_{ij}'b_i"],
    )


def _braces(model: _Model, laws: list[Markdown]) -> Markdown:
    *of_subjects, of_errors = [law.replace(r" \sim", r" &\sim", 1) for law in laws]
    one = [rf"y_{{ij}} &= {' + '.join([*model.level1, ERROR])}", of_errors]
    two = [*(f"{name} &= {value}" for name, value in model.level2), *of_subjects]
    levels = [
        rf"&\text{{Level {number}}} \left\{{ {aligned(lines)} \right."
        for number, lines in ((1, one), (2, two))
    ]
    return Markdown(aligned(levels))


def _in_numbers(found: Results) -> Markdown | None:
    """Both levels by the two-stage estimates; None where one of these is none that can be."""
    own, level2 = found.level1.own, found.two_stage.own
    within = tex(found.level1.sigma_within**2)
    if own is None or level2 is None:
        if found.level1.no_own:
            return None
        model = _model(found, {"mean": tex(found.two_stage.grand_mean.estimate)})
        variance = tex(found.two_stage.between_variance)
        names = symbols(found.mixed)
        if model is None or [len(each) for each in names] != [1]:
            return None
        laws = [law(names[0], {(0, 0): variance})]
    else:
        if not level2.proper or any(each.corrected <= 0 for each in own.strata):
            return None
        effects = dict(zip(level2.effects, level2.means, strict=True))
        known: dict[str, str] = {f"slope of {name}": tex(mean) for name, mean in effects.items()}
        known["mean"] = tex(effects.get(INTERCEPT, found.two_stage.grand_mean.estimate))
        model = _model(found, known)
        if model is None:
            return None
        laws = list(_own_laws(found, own, level2))
    return _braces(model, [*laws, law([ERROR], {(0, 0): within})])


def _own_laws(
    found: Results, level1: OwnEffectsSummary, level2: EffectCovarianceSummary
) -> Iterator[Markdown]:
    """The distribution of each term's effects with the corrected covariance of the two stages."""
    places = {name: k for k, name in enumerate(level2.effects)}
    of_strata = {stratum.grp: stratum.corrected for stratum in level1.strata}
    terms = zip(own_effects(found.mixed.random_terms), symbols(found.mixed), strict=True)
    for own, names in terms:
        if own[0].within:
            grp = ":".join([found.design.columns["subject"], *own[0].within])
            yield law(names, {(0, 0): tex(of_strata[grp])})
            continue
        at = [places[each.of or INTERCEPT] for each in own]
        q = range(len(at))
        covariance = {(i, j): tex(level2.corrected[at[i]][at[j]]) for i in q for j in q if i <= j}
        yield law(names, covariance)
