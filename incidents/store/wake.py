"""Wake-ups: RQ jobs that carry no data and only say "look now". Losing one costs seconds, never an alert or a page."""

from datetime import timedelta

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from incidents import keys
from incidents.queues import DECIDE_JOB, DECIDE_QUEUE, FACTS_JOB, FACTS_QUEUE, PAGES_JOB, PAGES_QUEUE

LINGER = timedelta(seconds=30)  # how long a job may stay, blocked on what comes
JOB_TIMEOUT = 120  # seconds, far above the linger: an alarm must never strike inside a commit
ASKED_MS = 2000  # a wake-up that was asked for is not asked for again so soon
FAILURE_TTL = 60


class Waker:
    """Asks for decide and pages jobs, at most one of each every two seconds."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._decide = Queue(DECIDE_QUEUE, connection=client, serializer=JSONSerializer)
        self._pages = Queue(PAGES_QUEUE, connection=client, serializer=JSONSerializer)
        self._facts = Queue(FACTS_QUEUE, connection=client, serializer=JSONSerializer)

    def decider(self, *, anyway: bool = False) -> bool:
        """Ask for a decide job; `anyway`: a job that ends asks for its successor. Return whether one was asked for."""
        return self._ask(self._decide, DECIDE_JOB, keys.wake_decider(), anyway=anyway)

    def pager(self, *, anyway: bool = False) -> bool:
        """Ask for a pages job, likewise."""
        return self._ask(self._pages, PAGES_JOB, keys.wake_pager(), anyway=anyway)

    def facts(self, *, anyway: bool = False) -> bool:
        """Ask for a facts job, likewise."""
        return self._ask(self._facts, FACTS_JOB, keys.wake_facts(), anyway=anyway)

    def _ask(self, queue: Queue, job: str, wake_key: str, *, anyway: bool) -> bool:
        try:
            # One that waits is enough: each job asks for its successor, so a second one would stay for ever.
            if queue.count:
                return False
            if not anyway and not self._client.set(wake_key, "1", nx=True, px=ASKED_MS):
                return False
            queue.enqueue_call(job, timeout=JOB_TIMEOUT, result_ttl=0, failure_ttl=FAILURE_TTL)
        except RedisError:
            # A ticker asks again within seconds; what is to be done lies in the store.
            return False
        return True
