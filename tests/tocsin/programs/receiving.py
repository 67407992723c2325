"""Runs granian as the receiver does, over an application that answers with its process id: receiving.py PORT.

With a further word, the application takes for ever to load.
"""

import os
import sys
import time
from functools import partial

from tocsin.granian_app import run_receiver
from tocsin.settings import Listen


def application(environ, start_response):
    body = b""
    if environ["REQUEST_METHOD"] == "POST":
        body = environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/slow":
        time.sleep(1.0)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {len(body)}".encode()]


def load(greeting):
    if greeting != "hello":
        print("loading", flush=True)
        time.sleep(600)
    return application


if __name__ == "__main__":
    threads = (os.cpu_count() or 1) * 2 + 2  # more than granian advises, as the receiver has them for streams
    listen = Listen("127.0.0.1", int(sys.argv[1]))
    sys.exit(
        run_receiver(
            partial(load, "hello" if len(sys.argv) == 2 else sys.argv[2]), listen, workers=2, blocking_threads=threads
        )
    )
