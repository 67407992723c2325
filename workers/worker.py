"""Our RQ worker: runs jobs in its own process, on one queue, and ends a lingering job at once when asked to stop."""

from collections.abc import Callable
from types import FrameType
from typing import Any

from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from incidents.errors import TocsinError
from incidents.queues import JOBS

WORKER_TTL = 20  # seconds: a dead worker is forgotten after so long
RECONNECT_SECONDS = 1.0


class ForeignJob(TocsinError):
    """A job in our queue that is none of ours."""

    def __init__(self, name: str) -> None:
        super().__init__(f"a job that is none of Tocsin's was refused ({name}): who else writes to the store?")


class OurJob(Job):
    """A job that can only be one of ours.

    RQ calls whatever function a job names, and its callbacks, even where the serializer runs no code by itself: whoever
    could write to the store would run anything.
    """

    @property
    def func(self) -> Callable[[], object]:
        """Return the function to call; raises `ForeignJob`."""
        if self.func_name not in JOBS or self.instance or self.args or self.kwargs:
            raise ForeignJob(self.id)
        ours: Callable[[], object] = super().func
        return ours

    def restore(self, raw_data: Any) -> None:  # noqa: ANN401 - as the library hands it over
        """Read the job, but for what is to be called beside its function: ours have no callbacks."""
        super().restore(raw_data)
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self._stopped_callback = None
        self.webhooks = []


class LingeringWorker(SimpleWorker):
    """A worker whose jobs linger.

    RQ's own bounds are for jobs that end: an idle worker would not look at its queue's upkeep for minutes, and a
    worker that waits for Redis would back off up to a minute.
    """

    exponential_backoff_factor = 1.0
    max_connection_wait_time = RECONNECT_SECONDS

    def __init__(self, queue: Queue, *, name: str, on_stop: Callable[[], None]) -> None:
        super().__init__(
            [queue],
            name=name,
            connection=queue.connection,
            serializer=JSONSerializer,
            job_class=OurJob,
            worker_ttl=WORKER_TTL,
            log_job_description=False,
        )
        self._on_stop = on_stop
        self.asked_to_stop = False

    @property
    def dequeue_timeout(self) -> int:
        """Seconds to wait for a job before looking at the queue's upkeep."""
        return 5

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """Return how long the worker counts as alive without a sign: RQ's SimpleWorker gives one per job."""
        del working_time
        return int(job.timeout or 0) + 5

    def handle_warm_shutdown_request(self) -> None:
        """End the lingering job: RQ only sets a flag, at which a job must look."""
        self.asked_to_stop = True
        self._on_stop()

    def request_force_stop(self, signum: int, frame: FrameType | None) -> None:
        """Take a second signal as a reminder: what lingers has been told to end already."""
        self._on_stop()
        super().request_force_stop(signum, frame)
