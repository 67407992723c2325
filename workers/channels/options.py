"""The options of a channel. A secret may lie in a file; files are read each time, so a rotated one is used at once."""

from pathlib import Path
from urllib.parse import urlsplit

from incidents.oncall import Channel
from workers.channels.errors import DeliveryError


class Options:
    """What the operator wrote of one channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def text(self, name: str) -> str:
        """Return an option, or the content of the file that `NAME_file` names; empty where neither is given.

        Raises DeliveryError for a file that cannot be read or is empty.
        """
        path = self._channel.options.get(f"{name}_file")
        if not path:
            return str(self._channel.options.get(name, ""))
        try:
            content = Path(str(path)).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            detail = getattr(error, "strerror", None) or "it is not text"
            raise self.refuse(f"its `{name}_file` {str(path)!r} cannot be read: {detail}") from error
        if not content:
            raise self.refuse(f"its `{name}_file` {str(path)!r} is empty")
        return content

    def url(self, name: str) -> str:
        """Return an option that is an http or https address; raises DeliveryError for any other."""
        url = self.text(name)
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            usable = False
        if not usable:
            raise self.refuse(
                f"its {name} is not an http or https address: mend `{name}` or the content of `{name}_file`"
            )
        return url

    def provider(self, name: str) -> str:
        """Return the host and port of an address; the channel's own name where that cannot be read."""
        try:
            return urlsplit(self.url(name)).netloc.rpartition("@")[2]
        except DeliveryError:
            return f"{self._channel.kind}:{self._channel.name}"

    def refuse(self, what: str) -> DeliveryError:
        """Return the error that says what is wrong with the channel: trying again cannot help."""
        return DeliveryError(f"channel {self._channel.name!r}: {what}", permanent=True)
