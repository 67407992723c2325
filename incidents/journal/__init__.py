"""The journal on disk: every event that took effect, with what was decided. Its format, writer and reader.

It knows no store: `workers/journaling.py` brings what is written, and tools read it as they find it.
"""
