"""One file in each format: the names of its columns, and what they hold.

Every module has a class with `columns`, `facts` (how the file is read, for the report) and `read`,
which gives columns as text, numbers or factors (dictionaries, whose order is that of the levels).
"""
