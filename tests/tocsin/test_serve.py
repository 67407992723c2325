"""`serve` with the real embedded store and granian: refusals, crashes of every process, and a clean end."""

import os
import signal
import sys

import pytest
from durable import wait_until_on_disk
from real_processes import Program, all_gone, wait_until
from redis import Redis

from incidents.store.health import is_answering
from tocsin.processes import running_in


@pytest.fixture
def serving(run, tmp_path, free_port):
    """Start `serve` over a configuration in the test's directory and wait until it has started."""
    (tmp_path / "tocsin.yml").write_text(f"listen: 127.0.0.1:{free_port}\n")

    def serving(words="STARTED", **environ):
        return run("serving", **environ).wait_for(words)

    return serving


@pytest.fixture
def store(tmp_path):
    return Redis(unix_socket_path=str(tmp_path / "data" / "store" / "valkey.sock"))


def store_pid(tmp_path):
    return next(iter(running_in(tmp_path / "data" / "store", "valkey-server")), None)


def test_serve_ends_with_zero_and_keeps_what_it_has(serving, store):
    """SIGTERM: everything ends in order, nothing has to be killed, and the next start finds the data."""
    program = serving("PREPARED 1")
    store.set("kept", "yes")
    program.wait_for("STARTED")
    family = program.family()
    program.send(signal.SIGTERM)
    assert program.wait() == 0
    assert "child_killed" not in program.text()
    assert all_gone(family)
    serving("PREPARED 2")
    assert store.get("kept") == b"yes"


def test_serve_killed_then_started_again(serving, store):
    """Kill -9 of the supervisor leaves nothing running, and the next start just works."""
    program = serving()
    store.set("kept", "yes")
    family = wait_until(lambda: len(program.family()) >= 6 and program.family())
    program.send(signal.SIGKILL)
    program.wait()
    again = serving("PREPARED 2")
    wait_until(lambda: all_gone(family))
    assert store.get("kept") == b"yes"
    again.wait_for("STARTED")


def test_serve_ends_with_zero_while_it_waits_for_its_store(serving):
    """SIGTERM before the store answers is no failure, and nothing was begun."""
    program = serving("store_not_there_yet", TOCSIN_REDIS_URL="unix:///nowhere/valkey.sock")
    program.send(signal.SIGTERM)
    assert program.wait() == 0
    assert "PREPARED" not in program.text()


def test_serve_starts_the_store_again(serving, store, tmp_path):
    """Kill -9 of the store: it comes back with every write that was on the disk, and the workers were left alone."""
    serving()
    for number in range(200):
        store.rpush("numbers", number)
    first, url = store_pid(tmp_path), f"unix://{tmp_path}/data/store/valkey.sock"
    wait_until_on_disk(url)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: store_pid(tmp_path) not in {None, first})
    wait_until(lambda: is_answering(url))
    assert store.llen("numbers") == 200


def test_serve_ends_a_store_that_was_left(serving, store, tmp_path):
    """A store that hangs (stopped) and outlived its supervisor is ended before ours starts."""
    program = serving()
    store.set("kept", "yes")
    wait_until_on_disk(f"unix://{tmp_path}/data/store/valkey.sock")
    left = store_pid(tmp_path)
    os.kill(left, signal.SIGSTOP)
    program.send(signal.SIGKILL)
    program.wait()
    serving("PREPARED 2")
    assert store_pid(tmp_path) != left
    assert store.get("kept") == b"yes"


def test_serve_refuses_a_second_one(serving, run):
    """One data directory, one supervisor: the second is told who has it."""
    first = serving()
    second = run("serving")
    assert second.wait() == 1
    assert f"is in use by tocsin serve (pid {first.pid})" in second.text()


def test_serve_refuses_a_store_that_would_forget(serving, run, volatile_store):
    """AOF off: refused with reason and mend; allowed on demand, loudly."""
    refused = run("serving", TOCSIN_REDIS_URL=f"unix://{volatile_store}")
    assert refused.wait() == 1
    assert "appendonly is off" in refused.text()
    assert "set `appendonly yes`" in refused.text()


def test_worker_refuses_a_store_that_would_forget(tmp_path, volatile_store):
    """A worker that runs apart does as `serve` does, before it touches anything."""
    (tmp_path / "tocsin.yml").write_text(f"redis_url: unix://{volatile_store}\n")
    command = [sys.executable, "-m", "tocsin", "worker", "decide", "--config", "tocsin.yml"]
    refused = Program(command, tmp_path)
    assert refused.wait() == 1
    assert "set `appendonly yes`" in refused.text()
    assert Redis(unix_socket_path=str(volatile_store)).dbsize() == 0


def test_serve_allows_a_volatile_store_loudly(serving, tmp_path, volatile_store):
    """`allow_volatile: true` starts, and says so."""
    with (tmp_path / "tocsin.yml").open("a") as file:
        file.write("allow_volatile: true\n")
    program = serving(TOCSIN_REDIS_URL=f"unix://{volatile_store}")
    assert "STORE_MAY_FORGET" in program.text()


def test_serve_says_what_to_do_about_a_damaged_file(serving, run, store, tmp_path):
    """A damaged append-only file is named, nothing is changed, and the command that cuts it works."""
    program = serving()
    for number in range(100):
        store.set(f"key:{number}", "x" * 50)
    program.send(signal.SIGTERM)
    program.wait()
    file = next((tmp_path / "data" / "store" / "appendonlydir").glob("*.incr.aof"))
    damaged = file.read_bytes()
    place = damaged.index(b"*3", 3000)
    file.write_bytes(damaged[:place] + b"XX" + damaged[place + 2 :])
    refused = run("serving")
    assert refused.wait() == 1
    assert f"{file} is damaged" in refused.text()
    assert "valkey-check-aof" in refused.text()


def test_serve_takes_a_long_directory(run, tmp_path, free_port):
    """A data directory whose socket path the kernel would refuse works all the same."""
    deep = tmp_path / ("d" * 120)
    (tmp_path / "tocsin.yml").write_text(f"listen: 127.0.0.1:{free_port}\ndata_dir: {deep}\n")
    program = run("serving").wait_for("STARTED")
    assert (deep / "store" / "appendonlydir").is_dir()
    program.send(signal.SIGTERM)
    assert program.wait() == 0
