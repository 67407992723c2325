"""Runs a supervisor over toy children: NAME=STAGE=PYTHON-CODE ...; prints JSON lines about what it did."""

import ctypes
import json
import signal
import sys
import time

from tocsin.children import ChildSpec
from tocsin.logs import configure_logs
from tocsin.supervisor import Supervisor


def say(**fields):
    print(json.dumps({"t": time.monotonic(), **fields}), flush=True)


def main(arguments):
    specs = []
    if "subreaper" in arguments:
        # Orphans below us become ours, as they do for process 1.
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    stop_within = 600.0 if "patient" in arguments else 1.0
    reload = sys.exit if "exit-at-reload" in arguments else lambda: say(reloaded=True)
    for argument in (argument for argument in arguments if "=" in argument):
        name, stage, code = argument.split("=", 2)
        command = (sys.executable, "-c", code)
        specs.append(ChildSpec(name=name, command=command, stage=int(stage), stop_within=stop_within))
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
