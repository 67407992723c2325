"""Whether a store would keep what it is given: each reason against it, with its mend."""

from datetime import timedelta

import pytest
from redis import Redis

from incidents import keys
from incidents.clock import utc_now
from incidents.errors import StoreUnavailable
from incidents.store.connection import Links, client_for
from incidents.store.health import examine
from incidents.store.vitals import clock_ahead, ensure_writable


@pytest.mark.parametrize(
    ("options", "durability", "expected"),
    [
        ((), "everysec", []),
        (("--appendonly", "no"), "everysec", ["appendonly is off"]),
        (("--maxmemory-policy", "allkeys-lru"), "everysec", ["maxmemory-policy allkeys-lru"]),
        (("--maxmemory-policy", "volatile-ttl"), "everysec", ["maxmemory-policy volatile-ttl"]),
        (("--appendfsync", "no"), "everysec", ["appendfsync is no"]),
        ((), "fsync", ["durability is fsync, but appendfsync is everysec"]),
        (("--appendfsync", "always"), "fsync", []),
        (("--appendonly", "no"), "fsync", ["appendonly is off"]),
        (("--cluster-enabled", "yes"), "everysec", ["Redis Cluster"]),
        (("--replicaof", "127.0.0.1 1"), "everysec", ["replica"]),
    ],
)  # fmt: skip
def test_health_names_what_would_be_lost(valkey, options, durability, expected):
    """Each setting that breaks the promise is named; a good store is not."""
    socket = valkey(*options)
    found = examine(client_for(f"unix://{socket}"), durability=durability).problems
    assert len(found) >= len(expected)
    for words in expected:
        assert any(words in problem for problem in found), found
    if not expected:
        assert found == []


def test_health_warns_where_config_is_forbidden(valkey):
    """A managed Redis that forbids CONFIG is taken with a warning."""
    socket = valkey()
    Redis(unix_socket_path=str(socket)).acl_setuser("default", enabled=True, nopass=True, commands=["+@all", "-config"])
    found = examine(client_for(f"unix://{socket}"), durability="fsync")
    assert found.problems == []
    assert "does not let CONFIG be read" in found.warnings[0]


def test_health_raises_when_nobody_answers(tmp_path):
    """Nobody there is not "volatile": it is away."""
    with pytest.raises(StoreUnavailable):
        examine(client_for(f"unix://{tmp_path}/nobody.sock"))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--maxmemory", "1"), "OOM"),
        (("--min-replicas-to-write", "1"), "NOREPLICAS"),
        (("--replicaof", "127.0.0.1 1"), "READONLY"),
    ],
)  # fmt: skip
def test_health_store_that_takes_no_writes_is_not_writable(valkey, options, reason):
    """It answers all that is asked, and refuses what is to be kept: full, too few replicas, a replica itself."""
    url = f"unix://{valkey(*options)}"
    with Links(url) as links, pytest.raises(StoreUnavailable, match=reason):
        ensure_writable(links)


def test_health_store_that_takes_writes_is_writable(valkey):
    """What was tried is gone by itself."""
    url = f"unix://{valkey()}"
    with Links(url) as links:
        ensure_writable(links)
    assert client_for(url).pttl(keys.writable()) > 0


def test_health_tells_how_far_a_clock_is_ahead_of_the_stores(valkey):
    """An hour ahead, and an hour behind."""
    with Links(f"unix://{valkey()}") as links:
        for hours in (1, -1):
            ahead = clock_ahead(links, utc_now() + timedelta(hours=hours))
            assert round(ahead / timedelta(hours=1), 1) == hours
