"""The ANOVA with partitioned errors, and what it assumes."""
