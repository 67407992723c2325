"""Commands that go together, and the replies to each of them."""

import pytest

from incidents.store.bundle import FEW, WORDS, Bundle
from incidents.store.scripts import BUNDLE


def answered(bundle):
    """Answer every command by itself, as a store does."""

    def words_of(command):
        places, groups = iter(command[3:]), []
        while (count := next(places, None)) is not None:
            groups.append(tuple(next(places) for _ in range(count)))
        return groups

    return [words_of(command) if command[1:2] == (BUNDLE,) else command for command in bundle.commands]


@pytest.mark.parametrize(
    "commands",
    [
        [],
        [("GET", "a"), ("EVALSHA", "x", 0), ("GET", "b")],
        [("GET", str(number)) for number in range(FEW)],
        [("EVAL", str(number), 0) if number % 7 == 3 else ("GET", str(number)) for number in range(FEW + 10)],
        [("SADD", "key", *map(str, range(WORDS))), *(("GET", str(number)) for number in range(FEW))],
        [("EVALSHA", str(number), 0) for number in range(FEW + 1)],
    ],
)
def test_bundle_gives_each_reply_to_its_command(commands):
    """Whatever goes together, and whatever has to stand by itself."""
    bundle = Bundle(commands)
    assert bundle.replies(answered(bundle)) == commands


def test_bundle_of_many_is_few_commands():
    """Python pays for each reply; few commands are cheaper for the store as they are."""
    assert len(Bundle([("GET", str(number)) for number in range(FEW)]).commands) == FEW
    assert len(Bundle([("GET", str(number)) for number in range(10 * FEW)]).commands) == 1
