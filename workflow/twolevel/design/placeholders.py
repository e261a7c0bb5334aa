"""Names of ours for the columns of a table, under which formulaic sees them.

So a column may be called `class`, `C`, `True`, `1` or `Intercept`: what formulaic and Python
understand by these words never meets the user's names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from twolevel.design.coding import as_factor
from twolevel.design.formula import FormulaNames
from twolevel.design.variables import Variables, as_float, is_factor
from twolevel.numeric.standardised import Standardised

if TYPE_CHECKING:
    import pandas as pd

# Names that a formula takes for constants where a function is given them without backticks.
_CONSTANTS = {"True", "False", "None"}
_POLY = re.compile(r"poly\((\w+)(?!.*\braw\b).*\)")


@dataclass(frozen=True, eq=False)
class Placeholders:
    """The names of ours, which begin with `prefix`, and what a formula's factors are made of.

    called maps our names to the variables. numeric are the texts of factors that are numbers.
    stands_for maps texts of factors to what formulaic is given for them: one of the columns `ones`
    for a number, a factor coded to sum to zero, and poly() of the variable centred and scaled,
    which makes the same polynomials.
    """

    prefix: str
    called: dict[str, str]
    numeric: tuple[str, ...] = ()
    stands_for: Mapping[str, str] = field(default_factory=dict)
    ones: tuple[str, ...] = ()
    _columns: tuple[str, ...] = ()
    _centred: Mapping[str, tuple[str, Standardised]] = field(default_factory=dict)
    _functions: Any = None

    @classmethod
    def of(cls, names: FormulaNames, formula: str, variables: Variables) -> Placeholders:
        """Names that occur in no formula, column or level."""
        texts = [formula, *names.variables]
        for factor in variables.factors.values():
            texts += map(str, factor.categories)
        prefix = "v"
        while re.search(rf"{prefix}[a-z]?\d+_", "\n".join(texts)):
            prefix += "v"
        return cls(prefix, {f"{prefix}{k}_": name for k, name in enumerate(names.variables)})

    def with_factors(
        self, exprs: Iterable[str], variables: Variables, sum_coded: bool
    ) -> Placeholders:
        """The same, knowing which of the factors of a formula are numbers."""
        from formulaic import Formula
        from formulaic.parser.types import Factor, Term

        exprs = [expr for expr in exprs if expr != "1"]
        calls = [expr for expr in exprs if expr not in self.called and as_factor(expr) is None]
        single, functions = set(), None
        if calls:
            terms = [Term([Factor(call, eval_method="python")]) for call in calls]
            with np.errstate(all="ignore"):  # what is not finite is refused by its name
                matrix = Formula(terms).get_model_matrix(self._raw(variables), na_action="ignore")
            functions = matrix.model_spec
            of_terms = {str(term): at for term, at in functions.term_indices.items()}
            single = {call for call in calls if len(of_terms[call]) == 1}
        numeric, stands_for, columns = [], {}, []
        ones: list[str] = []
        centred: dict[str, tuple[str, Standardised]] = {}
        for expr in exprs:
            name = self.called.get(as_factor(expr) or expr)
            is_number = name is None or not is_factor(variables.columns[name])
            poly = _POLY.fullmatch(expr)
            if expr in single or (expr in self.called and is_number):
                stands_for[expr] = f"{self.prefix}n{len(ones)}_"
                ones.append(stands_for[expr])
                numeric.append(expr)
            elif poly and poly[1] in self.called:
                values = variables.columns[self.called[poly[1]]]
                own = f"{self.prefix}p{len(centred)}_"
                centred[own] = (self.called[poly[1]], Standardised.of(values))
                stands_for[expr] = expr.replace(poly[1], own)
            else:
                recode = sum_coded and not is_number
                stands_for[expr] = f"C({as_factor(expr) or expr}, contr.sum)" if recode else expr
                columns += self.places_in(expr)
        return replace(
            self,
            numeric=tuple(numeric),
            stands_for=stands_for,
            ones=tuple(ones),
            _columns=tuple(dict.fromkeys(columns)),
            _centred=centred,
            _functions=functions,
        )

    def factors(self, variables: Variables) -> Variables:
        """What the codes of factors depend on: columns (m rows) under our names."""
        columns = variables.columns
        seen = {place: as_float(columns[self.called[place]]) for place in self._columns}
        for own, (name, standard) in self._centred.items():
            seen[own] = standard.of_values(columns[name])
        return Variables(seen, variables.rows)

    def numbers(self, variables: Variables, exprs: Iterable[str]) -> dict[str, np.ndarray]:
        """The values (m,) of some numbers in m rows of the variables."""
        found = {e: variables.columns[self.called[e]] for e in exprs if e in self.called}
        if len(found) < len(exprs := list(exprs)):
            with np.errstate(all="ignore"):
                matrix = self._functions.get_model_matrix(self._raw(variables))
            for term, at in self._functions.term_indices.items():
                if str(term) in exprs:
                    found[str(term)] = np.asarray(matrix, dtype=float)[:, at[0]]
        return found

    def _raw(self, variables: Variables) -> pd.DataFrame:
        columns = {place: as_float(variables.columns[name]) for place, name in self.called.items()}
        return Variables(columns, variables.rows).table()

    def places_in(self, text: str) -> list[str]:
        """Our names in a text."""
        return re.findall(rf"{self.prefix}\d+_", text)

    def variables_in(self, expr: str) -> list[str]:
        """The variables that a factor's text is made of."""
        return [self.called[place] for place in self.places_in(expr)]

    def shown(self, expr: str, quote: bool = False) -> str:
        """A factor's text with the user's names, in backticks where they need it or `quote` is."""
        if expr in self.called:
            name = self.called[expr]
            return f"`{name}`" if quote else name

        def name_of(place: re.Match) -> str:
            name = self.called[place[0]]
            plain = name.isidentifier() and name not in _CONSTANTS and not quote
            return name if plain else f"`{name}`"

        return re.sub(rf"{self.prefix}\d+_", name_of, expr)

    def text(self, column: str, quote: bool = False) -> str:
        """The name of a column of the model, as formulaic makes it, with the user's names."""
        given = {stand: expr for expr, stand in self.stands_for.items()}
        if not given:
            return column
        pattern = "|".join(map(re.escape, sorted(given, key=len, reverse=True)))
        return re.sub(pattern, lambda found: self.shown(given[found[0]], quote), column)

    def in_words(self, error: Exception) -> str:
        """What formulaic says, in one line and with the user's names."""
        line = " ".join(str(error).split()).rstrip(".")
        return self.shown(self.text(line))
