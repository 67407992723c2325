"""docs/configuration.md and the settings know the same keys, variables, words and messages."""

import re

import pytest
from documents import ROOT, first_names, table
from jmespath.functions import Functions

from receiver.payloads.mapping import KEYS as MAPPING_KEYS
from receiver.payloads.mapping import shipped
from receiver.payloads.mapping_functions import OPTIONS
from tocsin.config_file import _OTHER_VARIABLES, KEYS, VARIABLES
from tocsin.config_parts import _ANY_SOURCE_KEY
from tocsin.config_secrets import secret_keys
from tocsin.config_sign_in import KEYS as SIGN_IN_KEYS
from tocsin.settings import ApiRole, Durability, Retention, Settings, SourceKind
from tocsin.tokens import ADMIN_TOKEN_FILE, SOURCE_TOKEN_FILE

CONFIGURATION = "docs/configuration.md"

CLOSED_LISTS = [
    ("Keys", 1, KEYS),
    ("Environment", 1, (*VARIABLES, *_OTHER_VARIABLES)),
    ("Durability", 1, [each.value for each in Durability]),
    ("Sources", 1, [each.value for each in SourceKind]),
    ("Sources", 2, ("name", "kind", "mapping", *_ANY_SOURCE_KEY)),
    ("Mappings", 1, MAPPING_KEYS),
    ("Mappings", 2, shipped()),
    ("Mappings", 3, sorted(OPTIONS.custom_functions.FUNCTION_TABLE.keys() - Functions.FUNCTION_TABLE.keys())),
    ("API tokens", 1, ("name", "role", *secret_keys("token"))),
    ("API tokens", 2, [each.value for each in ApiRole]),
    ("Single sign-on", 1, SIGN_IN_KEYS),
    ("Retention", 1, Retention.__struct_fields__),
    ("Prometheus and Alertmanagers", 1, ("url", "source", "token", "token_file", "every")),
]


@pytest.mark.parametrize(("heading", "number", "known"), CLOSED_LISTS, ids=lambda value: str(value)[:40])
def test_configuration_document_lists_what_the_settings_know(heading, number, known):
    """Each table of the reference names every word of its list once, and no other."""
    assert sorted(first_names(table(CONFIGURATION, heading, number))) == sorted(known)


def test_configuration_document_covers_every_setting():
    """Every field of the settings comes from a key that is documented."""
    renamed = {"config_path": None, "warnings": None}
    wanted = {renamed.get(field, field) for field in Settings.__struct_fields__} - {None}
    assert wanted - set(first_names(table(CONFIGURATION, "Keys"))) == set()


def test_configuration_document_says_what_each_variable_stands_for():
    """The second column of the variables is the key that the reader takes them for."""
    said = {
        row.names[0]: row.cells[1].split("`")[1] for row in table(CONFIGURATION, "Environment") if "`" in row.cells[1]
    }
    assert said == VARIABLES


def test_configuration_document_knows_kinds_and_files():
    """Every kind of source, and every file that Tocsin makes, stands in the text."""
    text = (ROOT / CONFIGURATION).read_text(encoding="utf-8")
    words = [*SourceKind, SOURCE_TOKEN_FILE, ADMIN_TOKEN_FILE]
    assert [str(word) for word in words if str(word) not in text] == []


def test_configuration_document_explains_every_code():
    """Every error and warning that the configuration alone can report is listed."""
    codes = {
        code
        for path in (ROOT / "tocsin").glob("config_*.py")
        for code in re.findall(r'"([EW]\d{3})"', path.read_text(encoding="utf-8"))
    }
    shared = {"E206"}  # of rule files as well, with the same meaning
    assert sorted(first_names(table(CONFIGURATION, "Messages"))) == sorted(codes - shared)
