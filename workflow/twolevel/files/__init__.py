"""Files written whole or not at all, and what they hold in one number."""
