"""The lock of a data directory: one `tocsin serve` at a time, released by the kernel however its holder ends."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from incidents.errors import TocsinError

LOCK_FILE = "tocsin.lock"
ELSEWHERE = "data_dir (tocsin.yml, or TOCSIN_DATA_DIR)"


class DirectoryInUse(TocsinError):
    """Another process holds the data directory."""


class DirectoryUnusable(TocsinError):
    """The data directory cannot be made or written."""


class DirectoryLock:
    """Holds a data directory; made if it is not there (mode 0700)."""

    def __init__(self, directory: Path, holder: str) -> None:
        """`holder` names this process to whoever finds it locked. Raises DirectoryInUse, DirectoryUnusable, OSError."""
        self._descriptor = _opened(directory)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = os.pread(self._descriptor, 200, 0).decode("utf-8", "replace").strip() or "another process"
            os.close(self._descriptor)
            message = f"{directory} is in use by {other}; stop it first, or choose another {ELSEWHERE}"
            raise DirectoryInUse(message) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{holder} (pid {os.getpid()})\n".encode(), 0)

    def release(self) -> None:
        """Let the directory go; the file stays, for removing it would let two processes in."""
        if self._descriptor >= 0:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _opened(directory: Path) -> int:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        mend = f"let it belong to the user that runs this, or choose another {ELSEWHERE}"
        raise DirectoryUnusable(f"the data directory {directory} cannot be used: {error.strerror}; {mend}") from None
