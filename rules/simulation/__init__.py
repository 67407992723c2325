"""Simulating: events under a virtual clock, on the production code and the store in memory. Pure."""
