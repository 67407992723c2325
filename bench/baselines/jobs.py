"""Baseline (a), the job: holds the alerts of a webhook against the same rules, and writes the same timeline entries.

What it leaves out is in its favour: alerts have no memory, so nothing is de-duplicated or resolved, windows live in
this process, and a crash loses what was half done.
"""

import os
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from redis import Redis
from rq import Queue, SimpleWorker

from incidents import keys
from incidents.clock import utc_now
from incidents.store.codec import encode
from incidents.timeline import Entry, EntryKind
from rules.evaluate import Outcome, evaluate
from rules.index import Hit, Matching
from rules.loading.rule_set import load_rule_set
from rules.loading.sections import SourceFile

STORE = Redis.from_url(os.environ["BENCH_STORE"])
DONE = "bench:done"

_files = [SourceFile(path.name, path.read_text()) for path in sorted(Path(os.environ["BENCH_RULES"]).glob("*.yml"))]
_rule_set = load_rule_set(_files, now=utc_now()).rule_set
assert _rule_set is not None
_matching = Matching(_rule_set)
_windows: defaultdict[str, set[str]] = defaultdict(set)
_decode = msgspec.json.Decoder().decode


class _Facts:
    def __init__(self, hit: Hit, fingerprint: str, now: Any) -> None:
        self._window = keys.window(hit.rule.window_id, hit.identity_key)
        self.firing_since = now
        _windows[self._window].add(fingerprint)

    def count(self, within: timedelta) -> int:
        """Count as if the window were endless."""
        del within
        return len(_windows[self._window])


def apply(text: str) -> None:
    """Do one webhook."""
    now = utc_now()
    alerts = _decode(text)["alerts"]
    pipeline = STORE.pipeline(transaction=True)
    for alert in alerts:
        for hit in _matching.match(alert["labels"]).hits:
            verdict = evaluate(hit, _Facts(hit, alert["fingerprint"], now), now)
            if verdict.outcome is Outcome.HOLDS:
                pipeline.set(keys.identity(hit.identity_key), f"{hit.rule.id}", nx=True)
                pipeline.xadd(keys.timeline(hit.identity_key), {"e": encode(_entry(alert, now))})
    pipeline.incrby(DONE, len(alerts))
    pipeline.execute()


def _entry(alert: dict[str, Any], now: Any) -> Entry:
    firing = alert["status"] == "firing"
    labels = alert["labels"]
    return Entry(
        at=now,
        kind=EntryKind.ALERT_FIRED if firing else EntryKind.ALERT_RESOLVED,
        actor="bench",
        text=f"{labels['alertname']} {'fired' if firing else 'resolved'}: {alert['annotations']['summary']}",
        data={"labels": labels, "source": "bench", "fingerprint": alert["fingerprint"], "url": alert["generatorURL"]},
    )


def main() -> None:
    """Work until ended."""
    SimpleWorker([Queue("bench", connection=STORE)], connection=STORE).work(logging_level="WARNING")


if __name__ == "__main__":
    # Under its own name, so that the worker finds the module that is loaded already.
    import jobs

    jobs.main()
