"""The lease of the active decider, and the fence that keeps a decider that was paused from committing.

The fence is bumped when the lease is acquired and never when it is renewed: WATCHing the lease itself would abort our
own renewals.
"""

from incidents import keys
from incidents.store.connection import Command, Link, checked
from incidents.store.scripts import ACQUIRE, RELEASE, RENEW, digest

LEASE_MS = 2000


class Lease:
    """One decider's claim to be the active one, for so many milliseconds after each renewal."""

    def __init__(self, link: Link, owner: str, ms: int = LEASE_MS) -> None:
        self._link = link
        self.owner = owner
        self.ms = ms
        self.fence = 0

    def acquire(self) -> bool:
        """Become the active decider, unless somebody else is; bumps the fence."""
        answer = self._link.one("EVALSHA", digest(ACQUIRE), 2, keys.lease(), keys.fence(), self.owner, self.ms)
        self.fence = max(int(answer), 0)
        return int(answer) > 0

    def renew_command(self) -> Command:
        """Return what renews the lease while it is ours; its reply is 0 when it is not."""
        return ("EVALSHA", digest(RENEW), 1, keys.lease(), self.owner, self.ms)

    def renewal_in_commit(self) -> Command:
        """Return what renews the lease inside a commit: the fence, which the commit watches, proves that it is ours."""
        return ("SET", keys.lease(), self.owner, "PX", self.ms)

    def release(self) -> None:
        """Give the lease up, so that the next decider need not wait."""
        self._link.one("EVALSHA", digest(RELEASE), 1, keys.lease(), self.owner)


def release_of(link: Link, owner_prefix: str) -> bool:
    """Drop what says that a worker, which is known to be dead, decides or delivers; return whether it did either.

    Wishes go as well: what was wished for may have been the dead one's job, and while they stand nobody else is asked.
    """
    held = [("EVALSHA", digest(RELEASE), 1, key, owner_prefix) for key in (keys.lease(), keys.pager_lingers())]
    return any(checked(link.ask([*held, ("DEL", keys.wake_decider(), keys.wake_pager())]))[:2])


def owner_prefix(host: str, pid: int) -> str:
    """Return how the names of a process's leases and claims begin."""
    return f"{host}|{pid}|"
