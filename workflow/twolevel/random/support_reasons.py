"""Why an effect of subjects' own is not in a model whose random part their data decide.

On their own, so that a summary can name them without what finds them (`supported`).
"""

from typing import Literal

# Most subjects meet one of its cells only; they meet each once, so that its effect is their
# residual; its cells are those of another term, or its variance a combination of others'; a number
# has too few different values in most subjects; its values are there a combination of other
# numbers'; there would be as many effects as rows.
Reason = Literal[
    "one cell", "single rows", "same cells", "combination", "few values", "collinear", "few rows"
]
