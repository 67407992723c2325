"""States that the store answers unchanged are not read again, and nothing else is taken for them."""

from datetime import UTC, datetime, timedelta, timezone

from msgspec.structs import replace

from incidents.alert import AlertState
from incidents.store.codec import decode_state, encode
from incidents.store.states import States
from incidents.values import AlertStatus

NOW = datetime(2026, 11, 2, 3, 0, 0, 123456, tzinfo=UTC)
STATE = AlertState(
    source="am",
    fingerprint="f1",
    status=AlertStatus.FIRING,
    labels={"alertname": "Disk", "größe": "½ \x00 \U0001f525"},
    annotations={"summary": "full"},
    starts_at=NOW - timedelta(hours=1),
    received_at=NOW,
    judged_by="abc",
    incidents=("INC-2026-0001", "INC-2026-0002"),
    touched_at=NOW,
    touched_by="amira",
    absorbed_by="INC-2026-0003",
)


def test_states_give_back_what_they_wrote():
    """The very value, which is what the store would have been read as."""
    states = States()
    stored = states.encoded("am/f1", STATE)
    assert stored == encode(STATE)
    assert states.decoded("am/f1", bytes(bytearray(stored))) is STATE
    assert decode_state(stored) == STATE


def test_states_of_another_zone_are_read_as_the_store_has_them():
    """An instant is the same in every zone, whether it was written here or by somebody else."""
    elsewhere = replace(STATE, starts_at=STATE.starts_at.astimezone(timezone(timedelta(hours=5, minutes=30))))
    states = States()
    assert states.decoded("am/f1", states.encoded("am/f1", elsewhere)) == decode_state(encode(elsewhere))


def test_states_believe_the_store_and_not_what_they_remember():
    """Somebody else changed the alert, or a commit of ours never took effect."""
    states = States()
    states.encoded("am/f1", STATE)
    changed = replace(STATE, status=AlertStatus.RESOLVED, ends_at=NOW)
    assert states.decoded("am/f1", encode(changed)) == changed
    assert states.decoded("am/f1", encode(STATE)) == STATE
    assert states.decoded("am/f2", encode(changed)) == changed


def test_states_hold_no_more_than_their_bytes():
    """However many alerts come by, and however often one of them grows."""
    size = len(encode(STATE))
    states = States(kept_bytes=3 * size)
    written = {f"am/{number}": states.encoded(f"am/{number}", STATE) for number in range(10)}
    assert states.decoded("am/9", written["am/9"]) is STATE
    assert states.decoded("am/8", written["am/8"]) is not STATE
    assert states.decoded("am/8", written["am/8"]) == STATE
    for long in range(100):
        states.encoded("am/9", replace(STATE, touched_by="x" * long))
    huge = replace(STATE, touched_by="x" * 10 * size)
    assert states.decoded("am/9", states.encoded("am/9", huge)) == huge
    assert states.decoded("am/1", written["am/1"]) == STATE
