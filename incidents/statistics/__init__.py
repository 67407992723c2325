"""What incidents and pages come to over weeks: times, load, nights, and the precision of rules. Pure.

Nothing here reads timelines: a summary of each incident is kept beside it (`incidents.store.statistics`).
"""
