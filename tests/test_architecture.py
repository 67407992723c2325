"""The borders that no reader should have to remember: imports, sizes, clock, environment, Redis, keys, job paths."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from incidents import queues

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("incidents", "rules", "receiver", "workers", "tocsin")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

MODULE_LINES = 500
FUNCTION_LINES = 50

CLOCK_READERS = {
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
}
ENVIRONMENT_READERS = {("os", "environ"), ("os", "environb"), ("os", "getenv")}
STOP_WATCHES = {"process_time", "thread_time", "perf_counter"}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def dotted_uses(tree: ast.Module) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield each `left.right` and each `from left import right` with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            left = node.value
            name = left.id if isinstance(left, ast.Name) else left.attr if isinstance(left, ast.Attribute) else ""
            yield node.lineno, (name, node.attr)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, (node.module or "", alias.name)) for alias in node.names)


def users_of(forbidden: set[tuple[str, str]], *, allowed: str) -> list[str]:
    return [
        f"{name_of(path)}:{line}: {left}.{right}"
        for path in MODULES
        if name_of(path) != allowed
        for line, (left, right) in dotted_uses(tree_of(path))
        if (left, right) in forbidden
    ]


def test_imports_go_one_way():
    """Every contract of import-linter is kept: direction, purity, who may touch Redis and RQ."""
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command, "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_modules_stay_short():
    """No module is longer than 500 lines."""
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: lines for name, lines in lengths.items() if lines > MODULE_LINES} == {}


def test_functions_stay_short():
    """No function is longer than 50 lines."""
    too_long = [
        f"{name_of(path)}:{node.lineno}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    assert too_long == []


def test_tests_say_what_they_hold():
    """Every test has a sentence."""
    silent = [
        f"{name_of(path)}:{node.lineno}: {node.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_wall_clock_is_read_in_one_module():
    """Only incidents/clock.py asks what time it is."""
    assert users_of(CLOCK_READERS, allowed="incidents/clock.py") == []


def test_environment_is_read_in_one_module():
    """Only tocsin/settings.py reads the environment."""
    assert users_of(ENVIRONMENT_READERS, allowed="tocsin/settings.py") == []


def test_no_test_is_held_against_a_clock():
    """What a thing costs is measured by the bench: a test that times it fails on the next slow machine."""
    paths = [path for path in sorted((ROOT / "tests").rglob("*.py")) if path != Path(__file__)]
    timed = [
        f"{name_of(path)}:{line}: {left}.{right}"
        for path in paths
        for line, (left, right) in dotted_uses(tree_of(path))
        if right.removesuffix("_ns") in STOP_WATCHES
    ]
    timed += [
        f"{name_of(path)}:{node.lineno}: {ast.unparse(node)}"
        for path in paths
        if path.name.startswith("test_")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Assert) and "monotonic" in ast.unparse(node)
    ]
    assert timed == []


def test_keys_are_made_in_one_package():
    """No text that begins like one of our keys stands outside incidents/keys/."""
    strays = [
        f"{name_of(path)}:{node.lineno}: {node.value}"
        for path in MODULES
        if not name_of(path).startswith("incidents/keys/")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.match(r"tocsin:\S", node.value)
    ]
    assert strays == []


def key_functions() -> list[ast.FunctionDef]:
    nodes = [node for path in sorted((ROOT / "incidents" / "keys").glob("*.py")) for node in tree_of(path).body]
    return [node for node in nodes if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def test_keys_say_type_ttl_writer_and_reader():
    """The docstring of every key names its Redis type, its TTL, who writes it and who reads it."""
    wanted = re.compile(
        r"(Stream|String|Counter|Hash|List|Set|Sorted set)\b.* TTL: .*\sWriter.*\sreader.*:\s.",
        re.DOTALL | re.IGNORECASE,
    )
    lacking = [function.name for function in key_functions() if not wanted.match(ast.get_docstring(function) or "")]
    names = [function.name for function in key_functions()]
    assert names
    assert sorted(set(names)) == sorted(names)  # one name, one key: the package shows them all as its own
    assert lacking == []


@pytest.mark.parametrize("constant", [name for name in vars(queues) if name.endswith("_JOB")])
def test_job_paths_resolve(constant):
    """RQ accepts a misspelt path when a job is enqueued and fails in the worker: so each must name a function here."""
    module, _, function = getattr(queues, constant).rpartition(".")
    assert inspect.isfunction(getattr(importlib.import_module(module), function))
