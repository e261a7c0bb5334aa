"""What each stage's JSON holds, a module for each: written and read through the same model."""
