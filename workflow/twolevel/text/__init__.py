"""Words that all rooms share: errors, and numbers as text."""
