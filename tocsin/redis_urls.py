"""Where the store is: the Redis that was configured, or the socket of the embedded store.

The socket's path follows from the data directory alone, so that every process finds it without being told.
"""

import hashlib
import os
import stat
import tempfile
from pathlib import Path
from urllib.parse import quote

from incidents.errors import TocsinError
from tocsin.settings import Settings

STORE_DIRECTORY = "store"
SOCKET = "valkey.sock"
# The kernel allows 107 bytes; some are left for the suffix of a client's temporary name.
_LONGEST = 100


def store_url(settings: Settings) -> str:
    """Return the URL of the store; it may hold a password."""
    if settings.redis_url is not None:
        return settings.redis_url.reveal()
    return "unix://" + quote(str(socket_path(settings.data_dir)))


def socket_path(data_dir: Path) -> Path:
    """Return the socket of the embedded store: in the data directory, or, if that is too long, in a private one."""
    path = data_dir / STORE_DIRECTORY / SOCKET
    if len(os.fsencode(path)) <= _LONGEST:
        return path
    name = hashlib.sha256(os.fsencode(os.path.realpath(data_dir))).hexdigest()[:16]
    runtime = Path(f"/run/user/{os.getuid()}")
    base = runtime if _is_ours(runtime) else Path(tempfile.gettempdir())
    return base / f"tocsin-{os.getuid()}-{name}" / SOCKET


def make_private(directory: Path) -> None:
    """Make a directory that only we may enter; raises TocsinError when somebody else made it before."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_ours(directory):
        raise TocsinError(f"{directory} belongs to another user; remove it, or choose another data_dir")
    directory.chmod(0o700)


def _is_ours(directory: Path) -> bool:
    try:
        found = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
