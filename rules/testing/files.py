"""Finds and reads test files: those that are named, and those in directories by their name (`*_test.yml`)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rules.loading.files import MAX_FILES, TEST_NAMES, Read
from rules.loading.nodes import Problem
from rules.loading.sections import SourceFile
from rules.loading.yaml import MAX_BYTES


def read_test_files(paths: Sequence[str]) -> Read:
    """Read test files, and directories recursively; entries that start with a dot are skipped. Never raises."""
    files: dict[Path, SourceFile] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            found = list(_found(Path(path)))
            for each in found[:MAX_FILES]:
                files.setdefault(each.resolve(), _read(each))
            if not found:
                hint = "tests of rules are named *_test.yml or *.test.yml"
                problems.append(Problem(file=path, code="W002", message="no tests", hint=hint, severity="warning"))
        except (OSError, RuntimeError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            code = "E001" if isinstance(error, FileNotFoundError) else "E002"
            problems.append(Problem(file=path, code=code, message=f"cannot be read: {reason}", hint="check the path"))
    return Read(files=tuple(files.values()), problems=tuple(problems))


def _found(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for entry in sorted(path.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _found(entry)
        elif entry.name.endswith(TEST_NAMES) and entry.is_file():
            yield entry


def _read(path: Path) -> SourceFile:
    with path.open("rb") as file:
        return SourceFile(str(path), file.read(MAX_BYTES + 1))
