"""Who is signed in to the pages, and the one-time links that sign somebody in.

Ids are random and only their digests are stored: who reads the store cannot take a session over. A session names its
caller and the credential that opened it, so that it ends when that is withdrawn.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

import msgspec

from incidents import keys
from incidents.store.codec import encode
from incidents.store.connection import Links, checked

IDLE = timedelta(hours=12)  # without a look at any page
LONGEST = timedelta(days=7)
ROTATE_AFTER = timedelta(hours=1)
SEEN_EVERY = timedelta(minutes=5)  # a look is written down no more often
GRACE_MS = 60_000  # an id that was replaced still holds for pages that are being loaded
LINK_FOR = timedelta(hours=1)
ID_BYTES = 32


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in: `caller` is the name of an API token, `credential` the digest of the one in use.

    With single sign-on `caller` is the provider's name for somebody, `credential` the digest of what we are to that
    provider, and `groups` are those that give a role; a session of a token has none.
    """

    v: int = 1
    caller: str
    credential: str
    csrf: str
    opened_at: datetime
    issued_at: datetime  # of the present id
    seen_at: datetime
    replaced: bool = False
    groups: tuple[str, ...] = ()
    before: str = ""  # the digest of the id that the present one replaced


_DECODER = msgspec.json.Decoder(Session)


def digest_of(secret: str) -> str:
    """Return the name under which an id or a link is stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Sessions:
    """Opens, reads and ends sessions. For many threads; everything raises `StoreUnavailable`."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def open(self, caller: str, credential: str, now: datetime, groups: tuple[str, ...] = ()) -> tuple[str, Session]:
        """Open a session; return its id, which is told to nobody else."""
        session = Session(
            caller=caller,
            credential=credential,
            csrf=secrets.token_hex(ID_BYTES),
            opened_at=now,
            issued_at=now,
            seen_at=now,
            groups=groups,
        )
        return self._issue(session), session

    def read(self, session_id: str) -> Session | None:
        """Return the session of an id, None for an id that is none or over."""
        with self._links.borrow() as link:
            stored = link.one("GET", keys.session(digest_of(session_id)))
        return _DECODER.decode(stored) if stored is not None else None

    def looked(self, session_id: str, session: Session, now: datetime) -> str:
        """Note that a page was looked at; return the id that holds from now on, a new one every hour."""
        if session.replaced:
            return session_id
        if now - session.issued_at >= ROTATE_AFTER:
            return self._rotate(session_id, session, now)
        if now - session.seen_at >= SEEN_EVERY:
            seen = msgspec.structs.replace(session, seen_at=now)
            with self._links.borrow() as link:
                link.one("SET", keys.session(digest_of(session_id)), encode(seen), "XX", "PX", _left_ms(seen))
        return session_id

    def end(self, session_id: str) -> None:
        """End one session at once, under the id that it had before too."""
        session = self.read(session_id)
        ended = [digest_of(session_id), *([session.before] if session is not None and session.before else [])]
        with self._links.borrow() as link:
            link.one("DEL", *map(keys.session, ended))

    def end_all(self, caller: str) -> int:
        """End all sessions of a caller; return how many there were."""
        with self._links.borrow() as link:
            names = link.one("SMEMBERS", keys.sessions_of(caller))
            every = [keys.session(name.decode()) for name in names]
            ended, _ = checked(link.ask([("DEL", keys.sessions_of(caller), *every), ("PING",)]))
        return max(int(ended) - 1, 0)

    def make_link(self, caller: str) -> str:
        """Return the secret of a link that signs a caller in, once, within the hour."""
        secret = secrets.token_urlsafe(ID_BYTES)
        with self._links.borrow() as link:
            link.one("SET", keys.sign_in_link(digest_of(secret)), caller, "PX", int(LINK_FOR.total_seconds() * 1000))
        return secret

    def use_link(self, secret: str) -> str:
        """Return whom a link signs in, and forget it; empty for one that is none, used or expired."""
        key = keys.sign_in_link(digest_of(secret))
        with self._links.borrow() as link:
            caller, deleted = checked(link.ask([("GET", key), ("DEL", key)]))
        return caller.decode() if caller is not None and deleted else ""

    def _rotate(self, session_id: str, session: Session, now: datetime) -> str:
        fresh = self._issue(msgspec.structs.replace(session, issued_at=now, seen_at=now, before=digest_of(session_id)))
        left = msgspec.structs.replace(session, replaced=True)
        with self._links.borrow() as link:
            link.one("SET", keys.session(digest_of(session_id)), encode(left), "XX", "PX", GRACE_MS)
        return fresh

    def _issue(self, session: Session) -> str:
        session_id = secrets.token_urlsafe(ID_BYTES)
        name = digest_of(session_id)
        of_caller = keys.sessions_of(session.caller)
        with self._links.borrow() as link:
            checked(
                link.ask(
                    [
                        ("SET", keys.session(name), encode(session), "PX", _left_ms(session)),
                        ("SADD", of_caller, name),
                        ("PEXPIRE", of_caller, int(LONGEST.total_seconds() * 1000)),
                    ]
                )
            )
        return session_id


def _left_ms(session: Session) -> int:
    left = min(session.seen_at + IDLE, session.opened_at + LONGEST) - session.seen_at
    return max(int(left.total_seconds() * 1000), 1)
