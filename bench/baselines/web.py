"""Baseline (a), the way in: Flask that enqueues one RQ job for each webhook and answers 202."""

import os

from flask import Flask, Response, request
from redis import Redis
from rq import Queue

TOKEN = os.environ["BENCH_TOKEN"]
ANSWER = b'{"status":"accepted"}'

app = Flask(__name__)
queue = Queue("bench", connection=Redis.from_url(os.environ["BENCH_STORE"]))


@app.post("/webhooks/alertmanager")
def webhook() -> Response:
    """Take a webhook in."""
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return Response(status=401)
    queue.enqueue("jobs.apply", request.get_data(as_text=True))
    return Response(ANSWER, 202, content_type="application/json")
