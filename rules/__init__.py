"""The rule language of Tocsin: load, check, evaluate, explain. Pure: no I/O but reading the files it is given."""
