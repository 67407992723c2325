"""Composition root of Tocsin: command line, settings, wiring, supervision, embedded store. Nothing imports it."""

__version__ = "0.1.0"
