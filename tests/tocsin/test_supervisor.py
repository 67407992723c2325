"""The supervisor over toy children: order, restarts with back-off, and that no child is ever left behind."""

import json
import os
import signal

from real_processes import all_gone, children_of, wait_until, zombies_of

OBEYS = "import signal,sys,time;signal.signal(15,lambda *_:sys.exit(0));time.sleep(600)"
DEAF = "import signal,time;signal.signal(15,signal.SIG_IGN);print('deafened',flush=True);time.sleep(600)"
DIES = "raise SystemExit(3)"


def said(program, key):
    found = []
    for line in program.text().splitlines():
        if line.startswith("{"):
            fields = json.loads(line)
            if key in fields:
                found.append(fields)
    return found


def events(program, name):
    return [fields for fields in said(program, "event") if fields["event"] == name]


def started(run, *children):
    program = run("supervising", *children)
    program.wait_for('"ready"')
    return program


def test_supervisor_starts_a_dead_child_again_at_once(run):
    """The owner hears of the death first, and the first restart does not wait; nobody looks round for the dead."""
    program = started(run, f"a=0={OBEYS}")
    pid = said(program, "ready")[0]["ready"]["a"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(events(program, "child_started")) == 2)
    assert said(program, "died")[0]["pid"] == pid
    assert events(program, "child_died")[0]["starts_again_in"] == 0
    names = [fields.get("event") or "told" for fields in said(program, "t") + said(program, "event")]
    assert "told" in names


def test_supervisor_backs_off_from_a_child_that_keeps_dying(run):
    """A child that cannot live is started at growing distances, and its neighbour is left alone."""
    program = started(run, f"bad=0={DIES}", f"good=0={OBEYS}")
    wait_until(lambda: len(events(program, "child_died")) >= 3)
    waits = [fields["starts_again_in"] for fields in events(program, "child_died") if fields["child"] == "bad"]
    assert waits[0] == 0.0 < waits[1] <= 0.5 < waits[2] <= 1.0
    assert len([fields for fields in events(program, "child_started") if fields["child"] == "good"]) == 1


def test_supervisor_starts_again_what_was_killed_before_it_was_ready(run, tmp_path):
    """A kill at the start is a death like later ones: whoever is waited for is started again."""
    begun, ready = tmp_path / "begun", tmp_path / "ready"
    once = f"import os,pathlib;b=pathlib.Path('{begun}');b.exists() or b.touch() or os.kill(os.getpid(),9);"
    program = started(run, f"until:{ready}", f"a=0={once}pathlib.Path('{ready}').touch();{OBEYS}")
    assert [fields["code"] for fields in events(program, "child_died")] == [-9]
    assert len(events(program, "child_started")) == 2


def test_supervisor_ends_where_a_child_ends_by_itself_before_it_is_ready(run, tmp_path):
    """What cannot be started is an error, and is not tried again."""
    program = run("supervising", f"until:{tmp_path / 'ready'}", f"bad=0={DIES}")
    assert program.wait() != 0
    assert len(events(program, "child_started")) == 1


def test_supervisor_ends_stages_in_order(run):
    """The last to start is the first to go, and a graceful end is exit 0."""
    program = started(run, f"store=0={OBEYS}", f"worker=1={OBEYS}", f"receiver=2={OBEYS}")
    family = program.family()
    program.send(signal.SIGTERM)
    assert program.wait() == 0
    assert [fields["child"] for fields in events(program, "child_ended")] == ["receiver", "worker", "store"]
    assert all_gone(family)


def test_supervisor_kills_who_does_not_go(run):
    """A child that ignores SIGTERM is killed when its time is up."""
    program = started(run, f"deaf=0={DEAF}").wait_for("deafened")
    program.send(signal.SIGTERM)
    assert program.wait() == 0
    assert events(program, "child_killed")


def test_supervisor_hurries_at_a_second_signal(run):
    """Two signals: nobody gets more than a second, whatever its own time was; more of them put nothing off."""
    program = started(run, "patient", f"deaf=0={DEAF}", f"other=1={DEAF}")
    wait_until(lambda: program.text().count("deafened") == 2)
    program.send(signal.SIGINT)
    program.send(signal.SIGTERM)  # of two that are alike the kernel makes one
    wait_until(lambda: events(program, "child_killed") or program.send(signal.SIGINT))
    assert program.wait() == 0


def test_supervisor_killed_leaves_nobody(run):
    """Kill -9 of the supervisor: the kernel ends every child, the deaf and the stopped as well."""
    program = started(run, f"a=0={OBEYS}", f"deaf=1={DEAF}")
    family = program.family()
    os.kill(said(program, "ready")[0]["ready"]["a"], signal.SIGSTOP)
    assert len(children_of(program.pid)) == 2
    program.send(signal.SIGKILL)
    program.wait()
    wait_until(lambda: all_gone(family))


def test_supervisor_reloads_at_sighup(run):
    """SIGHUP calls what was given, and nothing else happens."""
    program = started(run, f"a=0={OBEYS}")
    program.send(signal.SIGHUP)
    wait_until(lambda: said(program, "reloaded"))
    assert not events(program, "child_died")


def test_supervisor_survives_a_callback_that_exits(run):
    """A reload that ends in an exit (a broken configuration) is logged; the children go on."""
    program = started(run, f"a=0={OBEYS}", "exit-at-reload")
    program.send(signal.SIGHUP)
    wait_until(lambda: events(program, "callback_failed"))
    assert program.process.poll() is None


ORPHANS = """
import os, time
if os.fork() == 0:
    if os.fork() == 0:
        time.sleep(0.2)
        print("orphan goes", flush=True)
    os._exit(0)
os.wait()
time.sleep(600)
"""


def test_supervisor_buries_orphans_as_process_one(run):
    """As process 1 of a container it inherits what others left behind, and keeps no zombie of it."""
    program = started(run, "subreaper", f"a=0={ORPHANS}").wait_for("orphan goes")
    wait_until(lambda: zombies_of(program.pid) == [])
    assert not events(program, "child_died")
