"""The JSON Schema (draft-07) of rule files, made of the tables that the loader reads by. Pure.

Editors complete and check with it. It says all that can be said of one file by its form; names that are defined in
other files, queries and times of rotations are the loader's to check.
"""

import msgspec

from incidents.values import Criterion
from rules.loading.conditions import AT_ONCE, SUBJECTS
from rules.model import Subject
from rules.shapes.file import SHAPES
from rules.shapes.fragments import Schema, Shape, shape

DRAFT = "http://json-schema.org/draft-07/schema#"
TITLE = "Tocsin rules"
_AT_ONCE = "when_at_once"


def rules_schema() -> dict[str, object]:
    """Return the schema of one rule file."""
    definitions = {name: _mapping(each) for name, each in SHAPES.items() if name != "file"}
    definitions["rule"]["allOf"] = [*(_by_subject(subject) for subject in Subject), _declared_at_once()]
    definitions |= {_when(subject): _narrowed(_when(subject), _asked_of(subject)) for subject in Subject}
    definitions[_AT_ONCE] = _narrowed(_AT_ONCE, [name for name in SUBJECTS if name in AT_ONCE])
    file = _mapping(SHAPES["file"])
    file["properties"] = {name: _or_empty(form, definitions) for name, form in SHAPES["file"].keys.items()}
    return {"$schema": DRAFT, "title": TITLE, **file, "definitions": definitions}


def render_schema() -> str:
    """Return the schema as text, indented, with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(rules_schema()), indent=2).decode() + "\n"


def _mapping(own: Shape) -> dict[str, object]:
    form: dict[str, object] = {
        "type": "object",
        "description": own.says,
        "properties": dict(own.keys),
        "additionalProperties": False,
    }
    if own.needs:
        form["required"] = list(own.needs)
    if own.one_of:
        form["oneOf"] = [{"required": [name]} for name in own.one_of]
    return {**form, **own.also}


def _or_empty(form: Schema, definitions: dict[str, dict[str, object]]) -> Schema:
    """Let a section be empty: it is what remains when all of its lines are commented out."""
    if "$ref" not in form:
        return {**form, "type": [form["type"], "null"]}
    definitions[str(form["$ref"]).rpartition("/")[2]]["type"] = ["object", "null"]
    return form


# --------------------------------------------------------------------------------------- what may be asked of a subject


def _when(subject: Subject) -> str:
    return f"when_{subject}"


def _asked_of(subject: Subject) -> list[str]:
    return [name for name, subjects in SUBJECTS.items() if subject in subjects]


def _narrowed(name: str, allowed: list[str]) -> dict[str, object]:
    """Return the form of conditions of which some only are allowed, at every depth."""
    inner = {"type": "array", "items": shape(name)}
    return {
        "type": "object",
        "propertyNames": {"enum": allowed},
        "properties": dict.fromkeys(("all", "any", "none"), inner),
    }


def _by_subject(subject: Subject) -> Schema:
    told: dict[str, object] = {"properties": {"on": {"const": subject.value}}}
    if subject is not Subject.ALERT:
        # Without `on` a rule is on alerts.
        told["required"] = ["on"]
    return {"if": told, "then": _conditions_are(_when(subject))}


def _declared_at_once() -> Schema:
    told = {"properties": {"criterion": {"const": Criterion.DATA_ISSUE.value}}, "required": ["criterion"]}
    return {"if": told, "then": _conditions_are(_AT_ONCE)}


def _conditions_are(name: str) -> Schema:
    when = {"properties": {"when": shape(name)}}
    return {"properties": {"when": shape(name), "tiers": {"type": "array", "items": when}}}
