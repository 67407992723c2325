"""Runs `serve` over the configuration in the working directory with toy workers and a real granian: serving.py."""

import sys
from pathlib import Path

from incidents.errors import TocsinError
from incidents.store.connection import client_for
from tocsin.children import ChildSpec
from tocsin.config_file import load_settings
from tocsin.logs import configure_logs
from tocsin.serve import RECEIVER_STAGE, WORKER_STAGE, Hooks, serve
from tocsin.settings import environment

SLEEPER = "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\ntime.sleep(600)"


def main():
    settings = load_settings(None, environment())
    configure_logs("supervisor")
    receiving = str(Path(__file__).with_name("receiving.py"))
    children = [
        ChildSpec(name="decide", command=(sys.executable, "-c", SLEEPER), stage=WORKER_STAGE),
        ChildSpec(
            name="receiver", command=(sys.executable, receiving, str(settings.listen.port)), stage=RECEIVER_STAGE
        ),
    ]
    hooks = Hooks(
        prepare=lambda url: print("PREPARED", client_for(url).incr("starts"), flush=True),
        on_death=lambda url, name, pid: print(
            "DIED", name, client_for(url).incr("deaths") if name != "store" else "", flush=True
        ),
        reload=lambda url: print("RELOADED", flush=True),
        started=lambda url: print("STARTED", flush=True),
    )
    try:
        return serve(settings, hooks, children=children)
    except (TocsinError, OSError) as error:
        print(f"REFUSED {error}", flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
