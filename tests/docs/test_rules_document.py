"""docs/rules.md and the loader of rules know the same words: no more, no fewer."""

import re
from pathlib import Path

import pytest
from documents import ROOT, first_names, table, text_of

from incidents.timeline import EntryKind
from incidents.values import Criterion, IncidentStatus, Role, Severity
from rules.conditions import Compare
from rules.loading.channels import KINDS
from rules.loading.conditions import SUBJECTS
from rules.loading.rules import COMPANIONS, OBJECTIVE_KEYS, RULE_KEYS, VERBS
from rules.loading.sections import SECTIONS
from rules.model import Mode
from rules.shapes.oncall import HANDOFF, HOURS, LAYER, MEMBER, OVERRIDE, PERSON, ROTATION
from rules.templates import FILTERS
from workers.channels import Message

RULES = "docs/rules.md"
PACKS = sorted(path.stem for path in (ROOT / "rules" / "packs").glob("*.yml"))

# Heading, number of the table below it, and what its first column has to name.
CLOSED_LISTS = [
    ("Packs", 1, [f"pack:{name}" for name in PACKS]),
    ("Sections", 1, SECTIONS),
    ("Fields of a rule", 1, RULE_KEYS),
    ("Criteria", 1, [each.value for each in Criterion]),
    ("Conditions", 1, SUBJECTS),
    ("Verbs", 1, VERBS),
    ("Heartbeats", 1, ("id", "match", "expect_every")),
    ("Objectives", 1, OBJECTIVE_KEYS),
    ("Templates", 1, FILTERS),
    ("Defaults", 1, ("identity", "reopen_within")),
    ("Severities", 1, ("acknowledge_within", "update_every", "postmortem", "stakeholders")),
    ("People and channels", 1, PERSON.keys),
    ("People and channels", 2, KINDS),
    ("The page of a webhook", 1, Message.__struct_fields__),
    ("Rotations", 1, ROTATION.keys),
    ("Rotations", 2, HANDOFF.keys),
    ("Rotations", 3, MEMBER.keys),
    ("Rotations", 4, OVERRIDE.keys),
    ("Hours and layers", 1, LAYER.keys),
    ("Hours and layers", 2, HOURS.keys),
    ("Roles", 1, [each.value for each in Role]),
    ("Paging policies", 1, ("steps", "rounds", "hours", "repage_after")),
    ("Paging policies", 2, ("page", "acknowledge_within")),
]


@pytest.mark.parametrize(("heading", "number", "known"), CLOSED_LISTS, ids=[row[0] for row in CLOSED_LISTS])
def test_rules_document_lists_what_the_loader_knows(heading, number, known):
    """Each table of the reference names every word of its list once, and no other."""
    assert sorted(first_names(table(RULES, heading, number))) == sorted(known)


def test_rules_document_says_what_a_condition_may_be_asked_of():
    """The column `on` of the conditions is what the loader allows."""
    for row in table(RULES, "Conditions"):
        subjects = {subject.value for subject in SUBJECTS[row.names[0]]}
        said = set(row.cells[1].split(", "))
        assert (subjects == said) or (said == {"all"} and len(subjects) == 4), row.names[0]


def test_rules_document_marks_no_condition():
    """Every condition is measured."""
    assert [row.names[0] for row in table(RULES, "Conditions") if row.is_not_yet] == []


def test_rules_document_marks_what_is_not_acted_on():
    """Sections, fields and channels that do nothing yet are marked, and no others."""
    assert {row.names[0] for row in table(RULES, "Sections") if row.is_not_yet} == set()
    fields = {row.names[0] for row in table(RULES, "Fields of a rule") if "**not yet**" in row.cells[2].split(";")[0]}
    assert fields == set()
    channels = {row.names[0] for row in table(RULES, "People and channels", 2) if row.is_not_yet}
    assert channels == set()


def test_rules_document_knows_the_options_of_each_channel():
    """Each option of a channel stands in its row."""
    for row in table(RULES, "People and channels", 2):
        options, _ = KINDS[row.names[0]]
        assert set(options) == set(re.findall(r"`([^`]+)`", row.cells[1])), row.names[0]


def test_rules_document_names_every_word_of_small_lists():
    """Modes, comparisons' keys, severities and companions of verbs stand in the text."""
    text = text_of(ROOT / RULES)
    words = [*Mode, *Severity, *COMPANIONS, Compare.GTE, Compare.LTE]
    assert [word for word in words if str(word) not in text] == []


def codes_in(folder: Path) -> set[str]:
    """Return the codes of problems that the modules of a package can report."""
    return {
        code for path in folder.glob("*.py") for code in re.findall(r'"([EW]\d{3})"', path.read_text(encoding="utf-8"))
    }


def test_rules_document_explains_every_code():
    """Every error and warning of rule files is listed, and nothing else."""
    assert sorted(first_names(table(RULES, "Messages"))) == sorted(
        codes_in(ROOT / "rules") | codes_in(ROOT / "rules" / "loading") | codes_in(ROOT / "rules" / "lint")
    )


def test_concepts_list_every_kind_of_entry():
    """Every kind of the timeline is explained; those that nothing can write are marked."""
    rows = table("docs/concepts.md", "Timeline")
    assert sorted(first_names(rows)) == sorted(EntryKind)
    sources = "".join(
        path.read_text(encoding="utf-8")
        for package in ("incidents", "rules", "receiver", "workers")
        for path in (ROOT / package).rglob("*.py")
    )
    written = {kind.value for kind in EntryKind if f"EntryKind.{kind.name}" in sources}
    assert {row.names[0] for row in rows if "**not yet**" not in row.cells[1]} <= written


def test_concepts_know_the_life_of_an_incident():
    """Every status and every criterion has its line."""
    assert first_names(table("docs/concepts.md", "The life of an incident")) == [each.value for each in IncidentStatus]
    named = {name for row in table("docs/concepts.md", "What is an incident?") for name in row.cells[1].split("`")}
    assert named & set(Criterion) == set(list(Criterion)[:5])
