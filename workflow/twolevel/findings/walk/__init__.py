"""The walk of a report: from one subject to the mixed model, in the symbols of the lecture."""
