"""Figures of the walk from one subject to the mixed model, one module per figure.

Every figure function takes tables and numbers, returns a `matplotlib.figure.Figure` and touches
neither pyplot nor global settings; `theme.save` writes it. Nothing is imported here, so that a
script depends on the figure it draws and on no other.
"""
