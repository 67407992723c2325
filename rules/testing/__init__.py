"""Tests of rules: files of timed events and of what has to come of them, run under a virtual clock. Pure."""
