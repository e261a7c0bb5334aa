"""The likelihood of random parts beyond an intercept: its sums, its value, its maximum."""
