"""The baselines: fixed code, so that today's figures can be held against last year's."""
