"""The queues and jobs of RQ by name: a wire format, since jobs in flight outlive a deployment."""

DECIDE_QUEUE = "tocsin-decide"
PAGES_QUEUE = "tocsin-pages"
FACTS_QUEUE = "tocsin-facts"

DECIDE_JOB = "workers.jobs.decide"
PAGES_JOB = "workers.jobs.deliver_pages"
FACTS_JOB = "workers.jobs.fetch_facts"

JOBS = frozenset({DECIDE_JOB, PAGES_JOB, FACTS_JOB})  # all that a worker ever runs
