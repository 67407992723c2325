"""Programs that are always ended after a test, and stores of one's own."""

import subprocess
import sys
from pathlib import Path

import programs
import pytest
from real_processes import Program, all_gone, wait_until

from incidents.store.health import is_answering
from tocsin.embedded import binary

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture
def run(tmp_path):
    """Start one of the programs beside this file, in the test's own directory; ended after the test."""
    running = []

    def run(name, *arguments, **environ):
        command = [sys.executable, str(PROGRAMS / f"{name}.py"), *(str(argument) for argument in arguments)]
        running.append(Program(command, tmp_path, environ))
        return running[-1]

    yield run
    for program in running:
        family = program.family()
        program.process.kill()
        program.process.wait()
        assert wait_until(lambda pids=family: all_gone(pids)), "something outlived its parent"


@pytest.fixture
def free_port():
    return programs.free_port()


@pytest.fixture
def valkey(tmp_path):
    """Start a Valkey of one's own with the given options over durable ones; returns its socket."""
    running = []

    def start(*options):
        directory = tmp_path / f"valkey{len(running)}"
        directory.mkdir()
        path = directory / "s.sock"
        command = [
            binary(),
            "--port",
            "0",
            "--unixsocket",
            path,
            "--dir",
            directory,
            "--save",
            "",
            "--appendonly",
            "yes",
        ]
        running.append(subprocess.Popen([str(part) for part in (*command, *options)], stdout=subprocess.DEVNULL))
        wait_until(lambda: is_answering(f"unix://{path}"))
        return path

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def volatile_store(valkey):
    """A Valkey that would forget everything."""
    return valkey("--appendonly", "no")
