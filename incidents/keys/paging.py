"""Keys of pages, from being due to how they went, and of the links in them."""

from incidents.alert import short_hash


def page(page_id: str) -> str:
    """String, a page that is not over. TTL: none, gone when delivered or given up. Writer, reader: page workers."""
    return f"tocsin:page:{page_id}"


def pages_due() -> str:
    """Sorted set of page ids by when to try next. TTL: none. Writer: commits, claims. Reader: page workers."""
    return "tocsin:pages:due"


def pages_wake() -> str:
    """List, pushed by commits that make pages due. TTL: none, capped. Writer: commits. Reader: page workers (BLPOP)."""
    return "tocsin:pages:wake"


def pages_claimed() -> str:
    """Hash of page id -> the worker that delivers it. TTL: none. Writer: claims, results. Reader: who takes over."""
    return "tocsin:pages:claimed"


def escalations() -> str:
    """Sorted set of incident ids by when the next paging step is due. TTL: none. Writer: commits. Reader: page
    workers.
    """
    return "tocsin:escalations"


def page_test(test_id: str) -> str:
    """Hash, how far a test page has come. TTL: a day. Writer: API, page worker. Reader: API."""
    return f"tocsin:page-test:{test_id}"


def channels_last() -> str:
    """Hash of channel -> how the last attempt over it went. TTL: none. Writer: page workers. Reader: API, doctor."""
    return "tocsin:channels:last"


def links_key() -> str:
    """String, the key that signs the links of pages. TTL: none. Writer: the first who asks. Reader: page worker,
    receiver.
    """
    return "tocsin:links:key"


def link_used(token: str) -> str:
    """String, who acknowledged by a link of a page. TTL: until the link expires. Writer, reader: the receiver."""
    return f"tocsin:links:used:{short_hash(token)}"


def status_links_ended(incident_id: str) -> str:
    """String, until when links of its status page were made that hold no longer. TTL: seven days. Writer, reader: the
    receiver.
    """
    return f"tocsin:status-page:{incident_id}:ended"


def status_links(incident_id: str) -> str:
    """Hash of link id -> what is remembered of a link of its status page. TTL: until the last of them has expired.
    Writer, reader: the receiver.
    """
    return f"tocsin:status-page:{incident_id}:links"
