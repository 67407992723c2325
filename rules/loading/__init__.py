"""From YAML to a rule set: reading and checking, each error with its place."""
