"""How a method performed in replicated experiments, each measure with its Monte Carlo error.

The measures are those of Morris, White & Crowther (2019, Table 6). Where they take estimates for
normal, which variances are not, the fourth moment is used instead: with kurtosis kappa the squared
relative error of an empirical SE is (kappa - 1) / (4 n), which for a normal is their 1 / (2 n).

Experiments are reduced to sums by block, which alone are kept, and added up in the order of blocks.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from twolevel.experiments.like_scenario import AnyScenario
from twolevel.experiments.planned.planned_experiments import rejected
from twolevel.experiments.run import tests_of
from twolevel.experiments.scenario import Scenario
from twolevel.experiments.theory import Sampling, bin_edges, expected
from twolevel.text.confidence import LEVEL
from twolevel.text.methods import INTERCEPT_ALONE, Test

# Intervals that would cover another centre no further from the truth than so many standard errors
# of a block's mean are kept one by one, for the bias-eliminated coverage.
_NEAR = 8.0

KEY = ["quantity", "method", "measure"]
ESTIMATE_MEASURES = ("bias", "empirical_se", "rmse")
INTERVAL_MEASURES = ("model_se", "relative_error", "coverage", "bias_eliminated_coverage")


def block_sums(scenario: AnyScenario, experiments: pd.DataFrame, test: Test) -> pd.DataFrame:
    """The sums of a block of experiments, as `replicate` gives them, that all measures need.

    One row for each quantity, method and measure. Of an estimate (measure ""): how many there are
    (n), the sums of the first four powers of its error (sum1 to sum4), of its squared SE and of the
    square of that (var1, var2), and the intervals that cover the truth (covered); near_error and
    near_half, error and half-width of the intervals that come near deciding otherwise; counts, the
    estimates in each of `bin_edges`, those of exactly 0 left out. Of a share (measure "rate",
    "power", "type_one_error" or, of a variance, "coverage"): n, and how many there are (sum1).
    """
    edges = bin_edges(scenario)
    rows = [
        _estimate_sums(experiments, name, true) | _counts(experiments[name], edges.get(name))
        for name, true in scenario.truth.items()
    ]
    failed = experiments["failed"]
    rows.append(_share("failed", "", "rate", failed))
    rows.append(_share("boundary", "", "rate", experiments.loc[~failed, "boundary"]))
    for name in scenario.truth:
        if f"{name}_covered" in experiments:
            rows.append(_share(name, "", "coverage", experiments[f"{name}_covered"].dropna()))
    methods = *tests_of(test), INTERCEPT_ALONE
    tests = [(term, name) for term in scenario.tested for name in methods]
    for quantity, name in tests + [(name, test) for name in scenario.differences]:
        for measure, true in (("power", False), ("type_one_error", True)):
            column = rejected(quantity, name, true)
            if column in experiments:
                rows.append(_share(quantity, name, measure, experiments[column].dropna()))
    return pd.DataFrame(rows)


def performance(sums: pd.DataFrame) -> pd.DataFrame:
    """The measures (quantity, method, measure, n, value, mcse) from the sums of all blocks."""
    rows = []
    for key, blocks in sums.groupby(KEY, sort=False):
        found = _estimate_measures(blocks) if key[2] == "" else {key[2]: _rate(blocks)}
        n = int(blocks["n"].sum())
        rows += [(*key[:2], measure, n, value, mcse) for measure, (value, mcse) in found.items()]
    return pd.DataFrame(rows, columns=[*KEY, "n", "value", "mcse"])


def with_theory(
    measures: pd.DataFrame, scenario: AnyScenario, level: float = LEVEL
) -> pd.DataFrame:
    """The measures with a column `theory`: what is known exactly of complete data, else NaN."""
    known = expected(scenario, level)
    keys = measures[KEY].itertuples(index=False, name=None)
    return measures.assign(theory=[known.get(key, np.nan) for key in keys])


def distributions(sums: pd.DataFrame, scenario: AnyScenario) -> pd.DataFrame:
    """Histograms of three estimates: quantity, low, high, count, and the share that theory expects.

    expected is NaN where no law is known. Estimates of exactly 0, and what theory expects of
    these, are left out.
    """
    parts = []
    for quantity, edges in bin_edges(scenario).items():
        of = (sums["quantity"] == quantity) & (sums["measure"] == "")
        counts = np.sum(np.stack(list(sums.loc[of, "counts"])), axis=0)
        shares = np.full(len(counts), np.nan)
        if isinstance(scenario, Scenario) and quantity in Sampling(scenario).laws:
            below = Sampling(scenario).cdf(quantity, edges[1:-1])
            # What lies outside the bins is in the first or last; 0 is in none.
            least = Sampling(scenario).cdf(quantity, edges[:1]) if edges[0] == 0 else [0.0]
            shares = np.diff([*least, *below, 1.0])
        parts.append(
            pd.DataFrame(
                {
                    "quantity": quantity,
                    "low": edges[:-1],
                    "high": edges[1:],
                    "count": counts,
                    "expected": shares,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _estimate_sums(experiments: pd.DataFrame, name: str, true: float) -> dict:
    values = experiments[name].to_numpy()
    valid = ~np.isnan(values)
    error = values[valid] - true
    square = error * error
    row = {"quantity": name, "method": "", "measure": "", "n": len(error), "sum1": error.sum()}
    row |= {"sum2": square.sum(), "sum3": (square * error).sum(), "sum4": (square * square).sum()}
    if f"{name}_se" not in experiments:
        return row
    variance = np.square(experiments[f"{name}_se"].to_numpy()[valid])
    low, high = (experiments[f"{name}_{end}"].to_numpy()[valid] for end in ("low", "high"))
    half = (high - low) / 2
    margin = np.abs(error) - half
    shift = _NEAR * np.sqrt(variance.sum()) / max(len(error), 1)
    near = np.abs(margin) <= shift
    return row | {
        "var1": variance.sum(),
        "var2": np.square(variance).sum(),
        "covered": int((margin <= 0).sum()),
        "shift": shift,
        "near_error": error[near],
        "near_half": half[near],
    }


def _counts(values: pd.Series, edges: np.ndarray | None) -> dict:
    if edges is None:
        return {}
    kept = values[values.notna() & (values != 0)].to_numpy()
    place = (kept - edges[0]) * ((len(edges) - 1) / (edges[-1] - edges[0]))
    place = np.clip(place.astype(int), 0, len(edges) - 2)
    return {"counts": np.bincount(place, minlength=len(edges) - 1)}


def _share(quantity: str, method: str, measure: str, those: pd.Series) -> dict:
    key = {"quantity": quantity, "method": method, "measure": measure}
    return key | {"n": len(those), "sum1": float(those.sum())}


def _rate(blocks: pd.DataFrame) -> tuple[float, float]:
    """A share and its Monte Carlo SE; NaN of nothing."""
    return _proportion(blocks["sum1"].sum(), blocks["n"].sum())


def _proportion(count: float, n: int) -> tuple[float, float]:
    share = count / n if n else np.nan
    return float(share), float(np.sqrt(share * (1 - share) / n)) if n else np.nan


def _estimate_measures(blocks: pd.DataFrame) -> dict[str, tuple[float, float]]:
    n = int(blocks["n"].sum())
    with_intervals = blocks["covered"].notna().all()
    if n < 2:
        names = ESTIMATE_MEASURES + INTERVAL_MEASURES * int(with_intervals)
        return dict.fromkeys(names, (np.nan, np.nan))
    bias, m2, m3, m4 = (blocks[f"sum{k}"].sum() / n for k in (1, 2, 3, 4))
    central2 = m2 - bias**2
    central4 = m4 - 4 * bias * m3 + 6 * bias**2 * m2 - 3 * bias**4
    empirical = np.sqrt(max(central2, 0.0) * n / (n - 1))
    # The squared relative Monte Carlo error of the empirical SE, (kappa - 1) / (4 n).
    spread = max(central4 / central2**2 - 1, 0.0) / (4 * n) if central2 > 0 else np.nan
    rmse = np.sqrt(m2)
    found = [
        (bias, empirical / np.sqrt(n)),
        (empirical, empirical * np.sqrt(spread)),
        (rmse, np.sqrt(max(m4 - m2**2, 0.0) / n) / (2 * rmse) if rmse > 0 else 0.0),
    ]
    if with_intervals and blocks["var1"].isna().any():  # as the ANOVA's with cells missing
        found += [(np.nan, np.nan)] * len(INTERVAL_MEASURES)
    elif with_intervals:
        mean, square = blocks["var1"].sum() / n, blocks["var2"].sum() / n
        model = np.sqrt(mean)
        own = max(square - mean**2, 0.0) / (4 * n * mean**2)
        found += [
            (model, model * np.sqrt(own)),
            _ratio(model, empirical, own + spread),
            _proportion(blocks["covered"].sum(), n),
            _proportion(_covering(blocks, bias), n),
        ]
    names = ESTIMATE_MEASURES + INTERVAL_MEASURES
    return {
        measure: (float(value), float(mcse))
        for measure, (value, mcse) in zip(names, found, strict=False)
    }


def _ratio(model: float, empirical: float, relative: float) -> tuple[float, float]:
    """The relative error of a model SE, and its Monte Carlo SE from the squared relative ones."""
    if empirical == 0:
        return np.nan, np.nan
    return model / empirical - 1, model / empirical * np.sqrt(relative)


def _covering(blocks: pd.DataFrame, bias: float) -> int:
    """How many intervals cover the mean estimate: near ones are looked at, others as counted."""
    if abs(bias) > blocks["shift"].min():
        raise ValueError(
            f"the mean error {bias:g} lies further from 0 than the intervals kept for the "
            f"bias-eliminated coverage allow ({blocks['shift'].min():g})"
        )
    error, half = (
        np.concatenate([np.asarray(part, dtype=float) for part in blocks[name]])
        for name in ("near_error", "near_half")
    )
    changed = (np.abs(error - bias) <= half).sum() - (np.abs(error) <= half).sum()
    return int(blocks["covered"].sum() + changed)
