"""Experiments of any design that a study can have: what is drawn, fitted and tested."""
