"""The live state document of an incident: six parts, each with an owner, an age and a history. Pure."""
