"""What is random in a model: bars of a formula, or what one subject's data support."""
