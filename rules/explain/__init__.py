"""`rules explain`: why an event was an incident, or why it was none. Pure."""
