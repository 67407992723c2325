"""Reads where the calendar of a rotation is, and the calendars that stand beside the rule files."""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256

from msgspec.structs import replace

from incidents.calendars import unknown_of, with_turns
from incidents.errors import TocsinError
from incidents.oncall import Calendar, Layer, Person
from rules.loading.channels import is_web_address
from rules.loading.context import Context
from rules.loading.fields import Fields
from rules.loading.sections import CALENDAR_SUFFIX, calendar_name
from rules.shapes import oncall as shapes

_LEAST, _MOST, _USUAL = timedelta(minutes=1), timedelta(days=1), timedelta(minutes=15)
_DIGITS = 16


class CalendarFiles:
    """The calendars among the rule files by their names, and the people whom they may name."""

    def __init__(self, texts: Mapping[str, str | bytes], people: Mapping[str, Person]) -> None:
        self._texts = texts
        self._people = people

    def layer(self, fields: Fields, timezone: str, context: Context) -> Layer:
        """Read a layer whose turns stand in a calendar; those of an address are read later, where Tocsin runs."""
        for key in ("order", "hours", "handoff"):
            if key in fields:
                fields.report(key, "E311", f"who has a calendar cannot have {key} beside it", "remove one of them")
        context.use_every("person")
        own = fields.fields("calendar", what=shapes.CALENDAR.what, known=shapes.CALENDAR.keys)
        given = [key for key in shapes.CALENDAR.one_of if own.get(key) is not None]
        if len(given) != 1:
            said = "more than one is given" if given else "none is given"
            fields.report("calendar", "E408", f"a calendar needs one of url, url_file and file; {said}")
        for key in given:
            if own.string(key, "-") == "":
                own.report(key, "E408", f"{key} is empty")
        url = own.string("url", "")
        if url and not is_web_address(url):
            own.report("url", "E408", "url is not an address", "write it like https://calendar.example.org/oncall.ics")
        refresh = context.positive(own, "refresh", least=_LEAST, most=_MOST) or _USUAL
        layer = Layer(
            timezone=timezone,
            order=(),
            calendar=Calendar(url=url, url_file=own.string("url_file", ""), refresh=refresh),
        )
        file = own.string("file", "")
        return self._of_file(own, file, layer, refresh, context) if file else layer

    def _of_file(self, own: Fields, file: str, layer: Layer, refresh: timedelta, context: Context) -> Layer:
        node = own.node.entries["file"]
        name = calendar_name(node.file, file)
        text = self._texts.get(name)
        if not file.endswith(CALENDAR_SUFFIX):
            own.report("file", "E408", f"the name of a calendar ends in {CALENDAR_SUFFIX}")
        elif text is None:
            own.report("file", "E409", f"{name} cannot be read", "its path begins at this rule file")
        else:
            data = text if isinstance(text, bytes) else text.encode()
            digest = sha256(data).hexdigest()[:_DIGITS]
            given = Calendar(file=name, digest=digest, refresh=refresh)
            return self._read(own, text, replace(layer, calendar=given), context)
        return layer

    def _read(self, own: Fields, text: str | bytes, layer: Layer, context: Context) -> Layer:
        if context.read_calendar is None:
            return layer
        try:
            copy = context.read_calendar(text, layer.timezone, context.now)
        except TocsinError as error:
            own.report("file", "E409", str(error))
            return layer
        layer = with_turns(layer, self._people, copy)
        unknown = unknown_of(copy, self._people)
        named = ", ".join(repr(name[:60]) for name in unknown)
        if not layer.turns:
            said = f"no event from {copy.since:%Y-%m-%d} until {copy.until:%Y-%m-%d} names a person"
            own.report("file", "E409", said + (f"; there is {named}" if named else ""), "write an id of people into it")
        elif unknown:
            message = f"events that name nobody count for nothing: {named}"
            context.warn(own.node.entries["file"], "W329", message, "write an id, a name or an email of people into it")
        return layer
