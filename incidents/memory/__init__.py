"""A store in memory with the meaning of the real one: the tools of rules decide on it. Pure."""
