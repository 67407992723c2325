"""The store: the only rooms of the project that speak to Redis, beside the metrics."""
