"""The receiver's server: nobody outlives whom, the port is ours alone, a dead process is replaced."""

import contextlib
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from real_processes import all_gone, children_of, wait_until

from tocsin.granian_app import NICENESS


def ask(port, path="/"):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def serving(run, port):
    program = run("receiving", port)
    wait_until(lambda: ask(port))
    wait_until(lambda: len(children_of(program.pid)) == 2)
    return program


def test_granian_killed_leaves_nobody(run, free_port):
    """Kill -9 of granian's main process ends the processes that it made, and the port with them."""
    program = serving(run, free_port)
    family = program.family()
    program.send(signal.SIGKILL)
    program.wait()
    wait_until(lambda: all_gone(family))
    assert ask(free_port) == ""


def test_granian_replaces_a_dead_process(run, free_port):
    """Kill -9 of one of its processes: the other answers on, and another one comes."""
    program = serving(run, free_port)
    before = children_of(program.pid)
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: len(children_of(program.pid)) == 2 and children_of(program.pid) != before)
    assert wait_until(lambda: ask(free_port))


def test_granian_gives_way_once_it_answers(run, free_port):
    """Every thread of those that answer is nice, also to what was loaded before."""
    program = serving(run, free_port)
    nice = min(os.getpriority(os.PRIO_PROCESS, program.pid) + NICENESS, 19)
    wait_until(lambda: all(niceness_of(pid) == {nice} for pid in children_of(program.pid)))


def niceness_of(pid):
    found = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            found.add(os.getpriority(os.PRIO_PROCESS, int(task.name)))
    return found


def test_granian_finishes_what_it_began(run, free_port):
    """SIGTERM ends it with 0, soon; that it has many threads was not warned of, for they wait."""
    program = serving(run, free_port)
    program.send(signal.SIGTERM)
    assert program.wait() == 0
    assert "Python threads" not in program.text()


def test_granian_ends_what_is_still_loading_at_once(run, free_port):
    """SIGTERM while its processes load the application ends them: nobody has to be killed."""
    program = run("receiving", free_port, "slow")
    wait_until(lambda: program.text().count("loading") == 2)
    program.send(signal.SIGTERM)
    assert program.wait() == 0
    assert "to stop and was ended" not in program.text()


def test_granian_refuses_a_port_that_is_answered(run, free_port):
    """A second server does not slip in beside the first; the message names who has the port."""
    first = serving(run, free_port)
    second = run("receiving", free_port)
    assert second.wait() == 1
    assert f"127.0.0.1:{free_port} is already answered by" in second.text()
    assert any(f"(pid {pid})" in second.text() for pid in first.family())


def test_granian_is_started_without_what_answers():
    """The process that only watches over those who answer does not load the application: it starts in half the time."""
    code = "import sys, tocsin.commands.receiver; sys.exit(bool({'flask', 'tocsin.receiving'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
