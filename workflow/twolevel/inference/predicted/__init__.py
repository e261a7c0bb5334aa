"""What a fit predicts: of rows of a table, and of subjects."""
