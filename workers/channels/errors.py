"""Why a page was not delivered, and whether trying again can help."""

from incidents.errors import TocsinError


class DeliveryError(TocsinError):
    """A channel did not take a page; the reason never holds a secret, so it may stand on the timeline.

    `permanent`: trying again cannot help. `retry_after`: the seconds that the provider asked us to wait.
    `unanswered`: the provider may have taken the page, so the next try is a repeat.
    """

    def __init__(
        self, reason: str, *, permanent: bool, retry_after: float | None = None, unanswered: bool = False
    ) -> None:
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after
        self.unanswered = unanswered
        super().__init__(reason)
