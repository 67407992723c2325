"""Keys of who is signed in, of what was answered to whom, and of the audit log."""

from incidents.alert import short_hash


def session(session_hash: str) -> str:
    """String, somebody who is signed in to the pages, by the digest of the id in the cookie. TTL: twelve hours after
    the last look, seven days at most. Writer, reader: the receiver.
    """
    return f"tocsin:session:{session_hash}"


def sessions_of(name: str) -> str:
    """Set of the digests of one caller's sessions. TTL: seven days after the last. Writer, reader: the receiver."""
    return f"tocsin:sessions:{short_hash(name)}"


def sign_in_link(link_hash: str) -> str:
    """String, whom a one-time link signs in. TTL: an hour. Writer: `tocsin serve`. Reader: the receiver."""
    return f"tocsin:sign-in:{link_hash}"


def idempotency(actor: str, key: str) -> str:
    """String, what was answered to a caller's call under the caller's own key. TTL: a day; a minute while it is under
    way. Writer, reader: the receiver.
    """
    return f"tocsin:idempotency:{short_hash(f'{actor} {key}')}"


def audit() -> str:
    """Stream of changes by people and refused credentials. TTL: none, capped. Writer: the receiver. Reader: API."""
    return "tocsin:audit"


def audited() -> str:
    """String, that the paging was audited. TTL: fifteen seconds. Writer, reader: the auditors (SET NX)."""
    return "tocsin:audited"
