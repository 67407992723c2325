"""Cuts an alert to a size that every later part can bear, and says in the alert what was cut. Pure.

Senders bound nothing: not the number of labels, not the length of a value.
"""

from collections.abc import Mapping, Sequence

MAX_LABELS = 64
MAX_LABEL_NAME = 256  # characters
MAX_LABEL_VALUE = 4096
MAX_ANNOTATIONS = 64
MAX_ANNOTATION_VALUE = 16384
MAX_URL = 4096
MAX_MARK = 1024

MARK = "tocsin_truncated"

# What rules, identities and people look at first is kept first.
FIRST_LABELS = (
    "alertname", "severity", "service", "team", "namespace", "cluster", "environment", "env", "job", "instance",
    "slo", "sloth_service", "sloth_slo", "sloth_severity", "data_issue", "customer_facing", "dataset",
)  # fmt: skip
FIRST_ANNOTATIONS = ("summary", "description", "message", "title", "runbook_url", "dashboard_url")


def oversized(labels: Mapping[str, str], annotations: Mapping[str, str], url: str) -> bool:
    """Tell whether anything is over its bound; cheap, for it is asked of every alert."""
    if (
        len(labels) <= MAX_LABELS
        and len(annotations) <= MAX_ANNOTATIONS
        and len(url) <= MAX_URL
        # All together are short: so is each.
        and len("".join(labels)) <= MAX_LABEL_NAME
        and len("".join(annotations)) <= MAX_LABEL_NAME
        and len("".join(labels.values())) <= MAX_LABEL_VALUE
        and len("".join(annotations.values())) <= MAX_ANNOTATION_VALUE
    ):
        return False
    return (
        len(labels) > MAX_LABELS
        or max(map(len, labels.values()), default=0) > MAX_LABEL_VALUE
        or max(map(len, labels), default=0) > MAX_LABEL_NAME
        or len(annotations) > MAX_ANNOTATIONS
        or max(map(len, annotations.values()), default=0) > MAX_ANNOTATION_VALUE
        or max(map(len, annotations), default=0) > MAX_LABEL_NAME
        or len(url) > MAX_URL
    )


def clamp(
    labels: Mapping[str, str], annotations: Mapping[str, str], url: str
) -> tuple[dict[str, str], dict[str, str], str]:
    """Return labels, annotations and address within the bounds; an annotation beyond the count tells what was cut."""
    cuts: list[str] = []
    kept_labels = _clamp_texts("label", labels, FIRST_LABELS, MAX_LABELS, MAX_LABEL_VALUE, cuts)
    kept_annotations = _clamp_texts(
        "annotation", annotations, FIRST_ANNOTATIONS, MAX_ANNOTATIONS, MAX_ANNOTATION_VALUE, cuts
    )
    if len(url) > MAX_URL:
        cuts.append(f"generatorURL: {len(url)} characters, {MAX_URL} kept")
    if cuts:
        kept_annotations[MARK] = "; ".join(cuts)[:MAX_MARK]
    return kept_labels, kept_annotations, url[:MAX_URL]


def _clamp_texts(
    what: str, texts: Mapping[str, str], first: Sequence[str], most: int, longest: int, cuts: list[str]
) -> dict[str, str]:
    names = list(texts)
    if len(names) > most:
        cuts.append(f"{len(names)} {what}s, {most} kept")
        # Sorted, so that every delivery of the same alert keeps the same ones.
        preferred = [name for name in first if name in texts]
        names = (preferred + sorted(set(names).difference(preferred)))[:most]
    kept: dict[str, str] = {}
    for name in names:
        value = texts[name]
        short = name[:MAX_LABEL_NAME]
        if len(name) > MAX_LABEL_NAME:
            cuts.append(f"{what} name {short[:40]!r}...: {len(name)} characters, {MAX_LABEL_NAME} kept")
        if len(value) > longest:
            cuts.append(f"{what} {short[:40]!r}: {len(value)} characters, {longest} kept")
        kept.setdefault(short, value[:longest])
    return kept
