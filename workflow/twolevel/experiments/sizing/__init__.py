"""How many subjects a study takes: effect sizes, exact powers, and the search for the number."""
