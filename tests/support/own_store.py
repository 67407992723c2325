"""A Valkey that belongs to the operator and not to Tocsin: a test stops it, starts it again, and takes it away."""

import signal
from pathlib import Path

from programs import Program, Programs, eventually

from incidents.errors import StoreUnavailable
from incidents.store.connection import Link
from tocsin.embedded import binary

DURABLE = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}


class OwnStore:
    """One server on a unix socket; what it holds stays in its directory."""

    def __init__(self, programs: Programs, **options: str) -> None:
        self._programs = programs
        self._directory: Path = programs.directory / "own-store"
        self._directory.mkdir()
        self._options = {name.replace("_", "-"): value for name, value in options.items()}
        self.url = f"unix://{self._directory}/own.sock"
        self.program = self.start()

    def start(self) -> Program:
        """Start it and wait until it answers."""
        options = {"port": "0", "save": "", "unixsocket": f"{self._directory}/own.sock", "dir": str(self._directory)}
        options |= DURABLE | self._options
        flags = [part for name, value in options.items() for part in (f"--{name}", value)]
        self.program = self._programs.start("own-store", [str(binary()), *flags])
        eventually(self._answers, what="the own store")
        return self.program

    def stop(self) -> None:
        """Shut it down in order."""
        self.program.signal(signal.SIGTERM)
        self.program.wait(60)

    def _answers(self) -> bool:
        link = Link(self.url)
        try:
            return bool(link.one("PING"))
        except StoreUnavailable:
            return False
        finally:
            link.drop()
