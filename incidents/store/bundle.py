"""Many small commands as one: Python pays for each reply that it reads, so a batch asks for all of them at once.

A script runs the commands one after the other and answers all their replies; a refusal is a reply like the others.
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
        self._count = len(commands)
        self._small = [place for place, command in enumerate(commands) if _is_small(command)]
        self._large = [place for place, command in enumerate(commands) if not _is_small(command)]
        words: list[Any] = []
        for place in self._small:
            words.append(len(commands[place]))
            words += commands[place]
        self.commands: list[Command] = [("EVAL", BUNDLE, 0, *words), *(commands[at] for at in self._large)]

    def replies(self, answered: Sequence[Any]) -> list[Any]:
        """Return the reply to each command in the order in which they were given."""
        replies: list[Any] = [None] * self._count
        for place, reply in zip(self._small, answered[0], strict=True):
            replies[place] = reply
        for place, reply in zip(self._large, answered[1:], strict=True):
            replies[place] = reply
        return replies


def in_transaction(commands: Sequence[Command]) -> list[Command]:
    """Return what a transaction runs: few commands as they are, since a script costs more than it saves then."""
    return list(commands) if len(commands) <= FEW else Bundle(commands).commands


def with_data(script: str, data: object) -> Command:
    """Return one command that runs a script over plain text and numbers; a script cannot unpack bytes."""
    return ("EVAL", script, 0, ENCODER.encode(data))


def _is_small(command: Command) -> bool:
    """Whether a script can run a command: it cannot call another script."""
    return len(command) <= WORDS and command[0] not in {"EVAL", "EVALSHA"}
