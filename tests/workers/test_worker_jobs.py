"""A worker runs its own jobs and nothing else, whatever somebody wrote into its queue."""

import json
import os

import pytest
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from incidents.queues import DECIDE_JOB, DECIDE_QUEUE
from incidents.store.connection import Link, client_for
from workers.jobs import decide
from workers.worker import ForeignJob, LingeringWorker, OurJob


def job_of(store_url: str, data: bytes, kind: type[Job], **fields: str) -> Job:
    """Read a job that somebody wrote into the store."""
    written = {"data": data, "created_at": "2026-01-05T09:00:00.000000Z", "origin": DECIDE_QUEUE} | fields
    Link(store_url).one("HSET", "rq:job:x", *(part for pair in written.items() for part in pair))
    return kind.fetch("x", connection=client_for(store_url), serializer=JSONSerializer)


def test_worker_runs_our_jobs(store_url):
    """What we enqueue is what is called, and the worker reads jobs in that way."""
    queue = Queue(DECIDE_QUEUE, connection=client_for(store_url), serializer=JSONSerializer)
    queue.enqueue(DECIDE_JOB, job_id="x")
    worker = LingeringWorker(queue, name="w", on_stop=lambda: None)
    assert worker.job_class is OurJob
    assert worker.job_class.fetch("x", connection=queue.connection, serializer=JSONSerializer).func is decide


@pytest.mark.parametrize(
    "data",
    [
        ["os.system", None, ["true"], {}],
        ["workers.jobs.decide", None, ["argument"], {}],
        ["workers.jobs.decide", None, [], {"a": 1}],
        ["upper", "an instance", [], {}],
        ["subprocess.run", None, [], {}],
    ],
)
def test_worker_refuses_any_other_function(store_url, data):
    """A function that is not ours, or ours with arguments that we never give, is not called."""
    with pytest.raises(ForeignJob):
        _ = job_of(store_url, json.dumps(data).encode(), OurJob).func


def test_worker_would_run_anything_with_jobs_of_the_library(store_url):
    """The reason for a kind of job of our own: JSON alone holds nobody back."""
    assert job_of(store_url, b'["os.system", null, ["true"], {}]', Job).func is os.system


def test_worker_calls_nothing_beside_its_job(store_url):
    """Callbacks and webhooks that somebody added are not even read."""
    data = json.dumps([DECIDE_JOB, None, [], {}]).encode()
    names = dict.fromkeys(("success_callback_name", "failure_callback_name", "stopped_callback_name"), "os.getcwd")
    job = job_of(store_url, data, OurJob, webhooks='[{"url": "http://169.254.169.254/"}]', **names)
    assert (job.success_callback, job.failure_callback, job.stopped_callback, job.webhooks) == (None, None, None, [])
