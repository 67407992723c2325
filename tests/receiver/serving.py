"""What the tests run under granian: the receiver over a store that takes everything, with limits short enough."""

import hashlib
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from flask import Flask
from prometheus_client import CollectorRegistry, generate_latest

from incidents.alert import Alert
from incidents.clock import utc_now
from incidents.incoming import Incoming
from incidents.store.intake import Appended, Refused
from receiver.app import Deps, create_app
from receiver.auth import Source
from receiver.deps import Reloaded
from receiver.metrics import RequestMetrics


class Everything:
    """A sink that takes everything."""

    def append_alerts(
        self,
        *,
        source: str,
        alerts: Sequence[Alert],
        refused: Sequence[Refused] = (),
        received_at: datetime,
        truncated: int = 0,
        receiver: str = "",
    ) -> Appended:
        return Appended("1-0", len(alerts), len(refused))

    def append_incoming(
        self, *, source: str, incoming: Sequence[Incoming], refused: Sequence[Refused] = (), received_at: datetime
    ) -> Appended:
        with Path(os.environ["COUNTS"], "incoming.jsonl").open("ab") as file:
            file.writelines(msgspec.json.encode(each) + b"\n" for each in incoming)
        return Appended("1-0", len(incoming), len(refused))


def app() -> Flask:
    metrics = RequestMetrics(Path(os.environ["COUNTS"]), ["prod", "events"])
    registry = CollectorRegistry()
    registry.register(metrics)
    token = hashlib.sha256(b"source-token").digest()
    application = create_app(
        Deps(
            intake=Everything(),
            sources=(
                Source(name="prod", kind="alertmanager", token_hashes=(token,)),
                Source(name="events", kind="pagerduty_events", routing_key_hashes=(token,)),
            ),
            api_tokens=(),
            ready=list,
            metrics=lambda: generate_latest(registry),
            reload=lambda: Reloaded(hash=""),
            now=utc_now,
            record=metrics,
            build="0",
            body_readers=int(os.environ["READERS"]),
            body_timeout=float(os.environ.get("BODY_SECONDS", "60")),
        )
    )
    application.add_url_rule("/pid", "pid", lambda: str(os.getpid()))
    return application
