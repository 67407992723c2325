"""How many may watch a page that is kept up to date: whoever starts the server gives each of them a thread."""

SEATS = 48  # of a process


def told_to_nobody(taken: int) -> None:
    """Hear how many seats are taken, and tell nobody."""
    del taken
