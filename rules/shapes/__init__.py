"""The form of rule files: which keys each mapping may have and how their values are written.

The loader takes its keys from here and the published JSON Schema is made of the same tables, so the two cannot differ.
"""
