"""The same analysis in other programs: in R, in Python and, in words, in JASP."""
