"""What is legal in a rule set and probably wrong: found when rules are checked, never when they are put into force."""
