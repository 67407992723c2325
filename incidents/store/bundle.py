"""Many small commands as one: Python pays for each reply that it reads, so a batch asks for all of them at once.

A script runs the commands one after the other and answers all their replies; a refusal is a reply like the others.
Few commands go as they are: the store takes longer over a script than is saved by it then.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from incidents.store.connection import Command
from incidents.store.scripts import BUNDLE

ENCODER = msgspec.msgpack.Encoder()
FEW = 50  # commands of about one incident
WORDS = 1000  # a command of more words goes by itself: a script can pass on only some thousands at once


class Bundle:
    """Some commands, and how their replies are told apart again."""

    def __init__(self, commands: Sequence[Command]) -> None:
        small = [place for place, command in enumerate(commands) if _is_small(command)] if len(commands) > FEW else []
        together = set(small)
        self._small = small
        self._large = [place for place in range(len(commands)) if place not in together]
        self.commands: list[Command] = [commands[place] for place in self._large]
        if small:
            words = [word for place in small for word in (len(commands[place]), *commands[place])]
            self.commands.insert(0, ("EVAL", BUNDLE, 0, *words))

    def replies(self, answered: Sequence[Any]) -> list[Any]:
        """Return the reply to each command in the order in which they were given."""
        if not self._small:
            return list(answered)
        replies: list[Any] = [None] * (len(self._small) + len(self._large))
        for place, reply in (*zip(self._small, answered[0], strict=True), *zip(self._large, answered[1:], strict=True)):
            replies[place] = reply
        return replies


def with_data(script: str, data: object) -> Command:
    """Return one command that runs a script over plain text and numbers; a script cannot unpack bytes."""
    return ("EVAL", script, 0, ENCODER.encode(data))


def _is_small(command: Command) -> bool:
    """Whether a script can run a command: it cannot call another script."""
    return len(command) <= WORDS and command[0] not in {"EVAL", "EVALSHA"}
