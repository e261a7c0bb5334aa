"""A user's table: read, checked, and made into observations."""
