"""No credential enters the stream, whichever way an event takes."""

import msgspec
from builders import NOW, alert

from incidents import keys
from incidents.incoming import Action, Incoming
from incidents.store.intake import Intake


def stored(links) -> bytes:
    """Every byte of the stream."""
    with links.borrow() as link:
        return repr(link.one("XRANGE", keys.stream(), "-", "+")).encode()


def test_intake_stores_alerts_without_credentials(links):
    """One alert of a delivery holds a credential: it goes, the others stay as they are."""
    secret = msgspec.structs.replace(alert("Login"), annotations={"description": "password=hunter2 was refused"})
    Intake(links, lambda: None).append_alerts(source="prod", alerts=[alert(), secret], received_at=NOW)
    assert b"hunter2" not in stored(links)
    assert b"password=[redacted] was refused" in stored(links)
    assert b"DiskFull" in stored(links)


def test_intake_stores_other_events_without_credentials(links):
    """The text of an action too."""
    action = Action(kind="restart", service="db", actor="bo", text="with --password hunter2")
    Intake(links, lambda: None).append_incoming(source="api", incoming=[Incoming(action=action)], received_at=NOW)
    assert b"hunter2" not in stored(links)
    assert b"restart" in stored(links)


def test_intake_stores_what_holds_none_byte_for_byte(links):
    """Nothing is encoded anew where nothing is found."""
    given = [alert("Token expired", team="secrets"), alert()]
    Intake(links, lambda: None).append_alerts(source="prod", alerts=given, received_at=NOW)
    with links.borrow() as link:
        [(_, fields)] = link.one("XRANGE", keys.stream(), "-", "+")
    assert msgspec.json.encode(given) in fields
