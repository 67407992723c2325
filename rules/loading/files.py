"""Reads rule files, directories of them, and shipped packs: the only part of the rule language that opens a file.

Links are resolved first, for ConfigMaps and git-sync are made of them; one that leads out of its directory is refused.
Nothing but regular files is opened, and no more of each than the limit.
"""

import contextlib
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

import msgspec

from incidents.calendars import MOST_BYTES
from rules.loading.mends import did_you_mean
from rules.loading.nodes import Node, Problem
from rules.loading.sections import CALENDAR_SUFFIX, PACK_PREFIX, SourceFile, calendar_name
from rules.loading.yaml import MAX_BYTES, read_yaml

PACKS_DIR = Path(__file__).parent.parent / "packs"
SUFFIXES = frozenset({".yml", ".yaml"})
TEST_NAMES = ("_test.yml", "_test.yaml", ".test.yml", ".test.yaml")  # tests of rules may stand beside them
MAX_FILES = 1000
MAX_TOTAL = 32 * 1024 * 1024
MAX_DEPTH = 20
_RULES = re.compile(rb"^[\"']?rules[\"']?[ \t]*:", re.MULTILINE)
# In the head of a pack: the packs to which it leaves alerts, so that none of those goes to nobody.
_COMES_WITH = re.compile(rb"^# Comes with: ([a-z, ]+)\.$", re.MULTILINE)


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """The files that were read, in their order, and what could not be read."""

    files: tuple[SourceFile, ...]
    problems: tuple[Problem, ...]


def read_rule_files(paths: Sequence[str], packs_dir: Path = PACKS_DIR) -> Read:
    """Read files, directories (recursively, `*.yml` and `*.yaml`) and `pack:NAME`; never raises for what it finds.

    While no file has a `rules` section, every shipped pack is in force, unless something cannot be read, which may have
    one. A file that is reached twice is read once.
    """
    reader = _Reader(packs_dir)
    for path in paths:
        reader.take(path)
    failed = any(problem.severity == "error" for problem in reader.problems)
    if not failed and not any(has_rules(file) for file in reader.files):
        for name in pack_names(packs_dir):
            reader.take(PACK_PREFIX + name)
    return Read(files=tuple(reader.files), problems=tuple(reader.problems))


def has_rules(file: SourceFile) -> bool:
    """Tell whether a file has a `rules` section of its own."""
    text = file.text if isinstance(file.text, bytes) else file.text.encode("utf-8", "surrogatepass")
    if file.is_calendar or b"rules" not in text:
        return False
    return _RULES.search(text) is not None or "rules" in read_yaml(text, file.name, []).entries


def calendars_of(file: SourceFile) -> list[str]:
    """Return the names of the calendars beside a rule file that its rotations name."""
    rotations = read_yaml(file.text, file.name, []).entries.get("rotations")
    layers: list[Node] = []
    for rotation in rotations.entries.values() if rotations is not None else ():
        layers += [rotation, *(rotation.entries["layers"].items if "layers" in rotation.entries else ())]
    calendars = (layer.entries["calendar"] for layer in layers if "calendar" in layer.entries)
    given = (calendar.entries["file"].text for calendar in calendars if "file" in calendar.entries)
    return [calendar_name(file.name, name) for name in given if name.endswith(CALENDAR_SUFFIX)]


def pack_names(packs_dir: Path = PACKS_DIR) -> list[str]:
    """Return the names of the shipped packs, sorted."""
    return sorted(pack.stem for pack in packs_dir.glob("*.yml"))


def companions_of(text: bytes) -> tuple[str, ...]:
    """Return the names of the packs that a pack brings with it, by its head."""
    said = _COMES_WITH.search(text)
    return tuple(said[1].decode().split(", ")) if said else ()


class _Reader:
    """Collects files, and remembers which were read already."""

    def __init__(self, packs_dir: Path) -> None:
        self.files: list[SourceFile] = []
        self.problems: list[Problem] = []
        self._packs_dir = packs_dir
        self._seen: set[Path] = set()
        self._room = MAX_TOTAL

    def take(self, path: str) -> None:
        """Read whatever one entry of the list names."""
        if path.startswith(PACK_PREFIX):
            self._pack(path)
            return
        try:
            target = Path(path).resolve(strict=True)
            if target.is_dir():
                self._directory(Path(path), target, target, 0)
            else:
                self._file(path, target)
        except (OSError, RuntimeError, ValueError) as error:
            self._unreadable(path, error)

    def _pack(self, path: str) -> None:
        name = path.removeprefix(PACK_PREFIX)
        known = pack_names(self._packs_dir)
        if name in known:
            self._with_companions(path, (self._packs_dir / f"{name}.yml").resolve())
            return
        hint = did_you_mean(name, known) or f"there is {', '.join(known)}"
        self._problem(path, "E002", f"there is no pack {name!r}", hint)

    def _with_companions(self, path: str, target: Path) -> None:
        """Read a pack, and those that it comes with."""
        if target in self._seen:
            return
        self._file(path, target)
        for name in companions_of(target.read_bytes()):
            self._pack(PACK_PREFIX + name)

    def _directory(self, shown: Path, target: Path, root: Path, depth: int) -> None:
        """Read a directory in the order of its names; entries that start with a dot are skipped."""
        if depth > MAX_DEPTH:
            self._problem(str(shown), "E004", f"directories are nested deeper than {MAX_DEPTH} levels")
            return
        if target in self._seen:
            return
        self._seen.add(target)
        before = len(self.files), len(self.problems)
        for name in sorted(os.listdir(target)):  # noqa: PTH208 -- the names alone
            if not name.startswith(".") and not name.endswith(TEST_NAMES):
                self._entry(shown / name, target / name, root, depth)
        if depth == 0 and (len(self.files), len(self.problems)) == before:
            self._problem(str(shown), "W001", "the directory holds no *.yml or *.yaml", severity="warning")

    def _entry(self, shown: Path, path: Path, root: Path, depth: int) -> None:
        try:
            target = path.resolve(strict=True)
            if not target.is_relative_to(root):
                if target.is_dir() or path.suffix in SUFFIXES:
                    message = "the link leads out of the directory of the rules"
                    self._problem(str(shown), "E003", message, "copy the file, or list its place of its own")
            elif target.is_dir():
                self._directory(shown, target, root, depth + 1)
            elif path.suffix in SUFFIXES:
                self._file(str(shown), target)
        except (OSError, RuntimeError) as error:
            if path.suffix in SUFFIXES or not path.suffix:
                self._unreadable(str(shown), error)

    def _file(self, shown: str, target: Path) -> None:
        if target in self._seen:
            return
        self._seen.add(target)
        if len(self.files) >= MAX_FILES:
            if not any(problem.code == "E005" for problem in self.problems):
                hint = "put several rules into one file"
                self._problem(shown, "E005", f"there are more than {MAX_FILES} files", hint)
            return
        if not stat.S_ISREG(target.stat().st_mode):
            self._problem(shown, "E002", "this is no regular file")
            return
        with target.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        self._room -= len(text)
        if self._room >= 0:
            self.files.append(SourceFile(shown, text))
            if b"calendar" in text:
                for name in calendars_of(self.files[-1]):
                    self._calendar(name)
        elif self._room + len(text) >= 0:  # said once
            hint = "remove what is no rule file"
            self._problem(shown, "E005", f"the files have more than {MAX_TOTAL // 1024 // 1024} MiB together", hint)

    def _calendar(self, name: str) -> None:
        """Read a calendar that a rule file names; where that is not possible, the loader says so in its place."""
        with contextlib.suppress(OSError, RuntimeError, ValueError):
            target = Path(name).resolve(strict=True)
            if target in self._seen or len(self.files) >= MAX_FILES or not stat.S_ISREG(target.stat().st_mode):
                return
            self._seen.add(target)
            with target.open("rb") as file:
                text = file.read(MOST_BYTES + 1)
            if self._room >= len(text):
                self._room -= len(text)
                self.files.append(SourceFile(name, text))

    def _unreadable(self, shown: str, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        hint = "check the path" if isinstance(error, FileNotFoundError) else "check the owner and the mode"
        missing = isinstance(error, FileNotFoundError)
        self._problem(shown, "E001" if missing else "E002", f"cannot be read: {reason}", hint)

    def _problem(self, file: str, code: str, message: str, hint: str = "", *, severity: str = "error") -> None:
        self.problems.append(Problem(file=file, code=code, message=message, hint=hint, severity=severity))
