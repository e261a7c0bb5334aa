"""What the columns of a table are, guessed from names and values, each guess with its reason."""
