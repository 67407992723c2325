"""Trying rules on the past: alerts that were, through the code of production, and what comes of them. Pure."""
