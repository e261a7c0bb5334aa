"""Tests, intervals, means and deletion of subjects, from a fitted model."""
