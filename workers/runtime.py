"""What a worker process works with; made once by the composition root, found by the jobs that RQ starts.

RQ finds a job by its name and gives it nothing but plain arguments, so the process keeps the runtime here.
"""

from typing import Protocol


class Lingerer(Protocol):
    """A job that stays for a while, blocked on what comes, and can be told to end."""

    def linger(self) -> None:
        """Work until the time is up."""

    def stop(self) -> None:
        """End at once."""


class NotInstalled(RuntimeError):
    """A job was started in a process that is no worker of ours."""


class Runtime:
    """The jobs of this process by name."""

    def __init__(self) -> None:
        self._jobs: dict[str, Lingerer] = {}

    def install(self, name: str, lingerer: Lingerer) -> None:
        """Make a job findable."""
        self._jobs[name] = lingerer

    def job(self, name: str) -> Lingerer:
        """Return a job; raises `NotInstalled`."""
        if name not in self._jobs:
            raise NotInstalled(f"this process does not run {name}: start `tocsin worker {name}`")
        return self._jobs[name]

    def stop(self) -> None:
        """Tell every job of this process to end."""
        for lingerer in self._jobs.values():
            lingerer.stop()


RUNTIME = Runtime()
