"""Fixtures of the workers' tests."""

import pytest
from page_sink_fixture import page_sink

from incidents.oncall import Channel
from workers.channels import Message

__all__ = ["page_sink"]


@pytest.fixture
def message():
    """Build a page; fields by name."""

    def build(**changes):
        fields = {
            "page_id": "pg-1",
            "dedup_key": "tocsin-INC-2026-0001",
            "incident": {"id": "INC-2026-0001", "title": "Zahlungen stocken", "severity": "SEV1", "rule": None},
            "person": "amira",
            "role": "incident_commander",
            "reason": "declared",
            "text": "SEV1 Zahlungen stocken",
            "acknowledge_url": "http://127.0.0.1:9095/a/x",
            "incident_url": "http://127.0.0.1:9095/incidents/INC-2026-0001",
        }
        return Message(**(fields | changes))

    return build


@pytest.fixture
def webhook():
    """Build a webhook channel; options by name."""

    def build(**options):
        return Channel(name="amira/1", kind="webhook", options=options)

    return build
