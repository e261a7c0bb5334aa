"""What is said of the random part: what subjects have of their own, and how much that varies."""
