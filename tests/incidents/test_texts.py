"""Foreign text on a screen: it reads as what it is, stays on its line, and covers nothing around it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.texts import is_fit, lines, one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Disk \u202elluf\u202c", "Disk lluf"),
        ("a\u2066b\u2069c\u200ed", "abcd"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("two\nlines\r\nand\u2028more", "two lines and more"),
        ("\x1b[2Jcleared\x00", "[2Jcleared"),
        ("data: x\n\nevent: ack", "data: x event: ack"),
        ("Z" + "\u0336\u0321\u0489" * 3000, "Z\u0336\u0321\u0489"),
        ("Störung in Zürich: läuft über", "Störung in Zürich: läuft über"),
        ("Phục hồi dịch vụ", "Phục hồi dịch vụ"),
        ("👩\u200d🚒 हिन्दी العربية", "👩\u200d🚒 हिन्दी العربية"),
    ],
)
def test_text_is_one_line_that_reads_as_what_it_is(text: str, shown: str):
    """Turned, invisible, broken and piled-up text is straightened; languages and emoji stay."""
    assert one_line(text) == shown


@given(st.text())
def test_text_that_was_straightened_is_fit(text: str):
    """A second time changes nothing, and no control character is left."""
    shown = one_line(text)
    assert is_fit(shown)
    assert one_line(shown) == shown
    assert not any(unicodedata.category(each) == "Cc" for each in shown)
    assert not any(unicodedata.category(each) == "Cc" for each in lines(text).replace("\n", "").replace("\t", ""))
