"""The addresses that monitoring systems post to, one module for each kind of sender."""
