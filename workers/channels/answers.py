"""What an answer over HTTP says of a message: taken, to be tried again, or refused for good."""

from workers.channels.errors import DeliveryError
from workers.channels.http import Answer
from workers.channels.message import Receipt
from workers.retries import Verdict, verdict


def receipt_of(answer: Answer, *, text: str | None = None, provider_id: str = "") -> Receipt:
    """Return the receipt of an answer that is one; raises DeliveryError otherwise, with `text` for the answer's own."""
    judged = verdict(answer.status_code)
    if judged is Verdict.ACCEPTED:
        return Receipt(answer=answer.status, provider_id=provider_id or answer.request_id)
    said = answer.text if text is None else text
    reason = f"answered {answer.status}" + (f": {said}" if said else "")
    if 300 <= answer.status_code < 400:
        reason = f"answered {answer.status}; redirects are not followed: put the final address into the channel"
    raise DeliveryError(reason, permanent=judged is Verdict.PERMANENT, retry_after=answer.retry_after)
