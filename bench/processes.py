"""What processes use, as the kernel tells it: CPU seconds and memory, each with all that its children use."""

import os
from collections.abc import Iterable
from pathlib import Path

from programs import is_alive, parent_of

TICKS = os.sysconf("SC_CLK_TCK")


def family_of(pid: int) -> list[int]:
    """Return a process and everything below it."""
    table = {int(entry.name): parent_of(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdecimal()}
    found = [pid]
    for parent in found:
        found += [child for child, its_parent in table.items() if its_parent == parent and is_alive(child)]
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU time that processes have used, in user mode and in the kernel."""
    ticks = 0
    for pid in pids:
        fields = _read(pid, "stat").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12]) if fields else 0
    return ticks / TICKS


def rss_mb(pids: Iterable[int]) -> float:
    """Return the resident memory of processes in MB; what they share is counted in each."""
    return sum(_field(_read(pid, "status"), "VmRSS:") for pid in pids)


def pss_mb(pids: Iterable[int]) -> float:
    """Return the proportional memory of processes in MB; what they share is counted once."""
    return sum(_field(_read(pid, "smaps_rollup"), "Pss:") for pid in pids)


def _field(text: str, name: str) -> float:
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith(name)), 0.0)


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""
