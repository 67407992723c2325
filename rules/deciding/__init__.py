"""Deciding: events, a snapshot and the rules give one commit. Pure; workers and the tools of rules run it."""
