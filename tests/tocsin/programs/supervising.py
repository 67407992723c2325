"""Runs a supervisor over toy children: NAME=STAGE=PYTHON-CODE ...; prints JSON lines about what it did.

With `until:FILE` a child is ready when the file is there.
"""

import ctypes
import json
import signal
import sys
import time
from pathlib import Path

from incidents.errors import TocsinError
from tocsin.children import ChildSpec
from tocsin.logs import configure_logs
from tocsin.supervisor import Supervisor


def say(**fields):
    print(json.dumps({"t": time.monotonic(), **fields}), flush=True)


def ready_with(path):
    def wait(is_alive, is_stopping):
        while not path.exists() and not is_stopping():
            if not is_alive():
                raise TocsinError("it ended too early")
            time.sleep(0.01)
        return not is_stopping()

    return wait


def main(arguments):
    specs = []
    awaited = [ready_with(Path(each.removeprefix("until:"))) for each in arguments if each.startswith("until:")]
    wait_ready = awaited[0] if awaited else None
    if "subreaper" in arguments:
        # Orphans below us become ours, as they do for process 1.
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    stop_within = 600.0 if "patient" in arguments else 1.0
    reload = sys.exit if "exit-at-reload" in arguments else lambda: say(reloaded=True)
    for argument in (argument for argument in arguments if "=" in argument):
        name, stage, code = argument.split("=", 2)
        command = (sys.executable, "-c", code)
        times = {"stop_within": stop_within, "wait_ready": wait_ready}
        specs.append(ChildSpec(name=name, command=command, stage=int(stage), **times))
    configure_logs("supervisor")
    with Supervisor(
        on_child_death=lambda name, pid: say(died=name, pid=pid),
        on_reload=reload,
    ) as supervisor:
        supervisor.start(specs)
        say(ready=supervisor.pids())
        supervisor.run()
    say(stopped=True)


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    main(sys.argv[1:])
