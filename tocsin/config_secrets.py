"""Reads secrets of the configuration: in place, or from a file that a key ending in `_file` names.

No message ever contains a secret.
"""

from pathlib import Path

from rules.loading.nodes import Node, problem_at
from tocsin.config_reading import Reading
from tocsin.secret import Secret
from tocsin.tokens import configured_hash

_MAX_FILE = 64 * 1024
_SHORT = 16


def secret_keys(single: str) -> tuple[str, ...]:
    """Return the four keys by which a secret that may be rotated is given."""
    return (single, f"{single}_file", f"{single}s", f"{single}s_file")


def read_secret(reading: Reading, key: str) -> Secret | None:
    """Read one secret from `key` or `key_file`; absent, empty or faulty: None."""
    found = _texts(reading, (key, f"{key}_file"), is_empty_allowed=True)
    return Secret(found[0][1]) if found else None


def read_secrets(reading: Reading, single: str) -> tuple[Secret, ...]:
    """Read the secrets from one of `single`, `single_file`, `singles` (a list) and `singles_file` (one a line)."""
    return tuple(Secret(text) for _, text in _texts(reading, secret_keys(single)))


def read_hashes(reading: Reading, single: str) -> tuple[bytes, ...]:
    """Read tokens like `read_secrets`, each plain or as `sha256:HEX`, and return their digests."""
    hashes = []
    for node, text in _texts(reading, secret_keys(single)):
        try:
            hashes.append(configured_hash(text))
        except ValueError as error:
            reading.problems.append(problem_at(node, "E306", f"{single}: {error}"))
        if len(text) < _SHORT:
            message = f"{single} has fewer than {_SHORT} characters and can be guessed"
            reading.problems.append(
                problem_at(node, "W302", message, "make one with `tocsin token`", severity="warning")
            )
    return tuple(hashes)


def _texts(reading: Reading, keys: tuple[str, ...], *, is_empty_allowed: bool = False) -> list[tuple[Node, str]]:
    fields = reading.fields
    given = [key for key in keys if fields.get(key) is not None]
    if len(given) > 1:
        fields.report(given[1], "E303", f"only one of {' and '.join(given)} may be set", "remove the other")
        return []
    if not given:
        return []
    key, node = given[0], fields.node.entries[given[0]]
    if key.endswith("_file"):
        found = _from_file(reading, key, node, is_list=key.endswith("s_file"))
    elif node.items or key in keys[2:]:
        texts = fields.strings(key, (), single=False)
        found = list(zip(node.items, texts, strict=False)) if len(texts) == len(node.items) else []
    else:
        text = fields.string(key, None)
        found = [] if text is None or (is_empty_allowed and not text) else [(node, text)]
    return [pair for pair in found if _is_usable(reading, key, *pair)]


def _is_usable(reading: Reading, key: str, node: Node, text: str) -> bool:
    if text and text == text.strip() and text.isprintable():
        return True
    what = "has spaces, line breaks or control characters around or in it" if text.strip() else "is empty"
    reading.problems.append(problem_at(node, "E305", f"{key} {what}"))
    return False


def _from_file(reading: Reading, key: str, node: Node, *, is_list: bool) -> list[tuple[Node, str]]:
    name = reading.fields.string(key, None)
    if name is None:
        return []
    path = reading.absolute(node, name)
    text = _read(reading, key, node, path)
    if text is None:
        return []
    lines = [line.strip() for line in text.splitlines() if line.strip()] if is_list else [text.rstrip("\r\n")]
    if not lines or not lines[0]:
        reading.problems.append(problem_at(node, "E305", f"{key}: {path} is empty"))
        return []
    return [(node, line) for line in lines]


def _read(reading: Reading, key: str, node: Node, path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE + 1)
        if len(data) > _MAX_FILE:
            raise OSError(0, f"it has more than {_MAX_FILE} bytes")
        return data.decode("utf-8")
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    reading.problems.append(problem_at(node, "E304", f"{key}: {path}: {reason}"))
    return None
