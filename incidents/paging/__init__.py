"""Paging: who is told now and has to acknowledge, in which order, and what comes after. Pure."""
