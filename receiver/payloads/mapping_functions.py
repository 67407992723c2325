"""The functions that mappings may call beside those of JMESPath. Pure.

All of them take what a payload may hold at their place, nothing included, and answer null where they find nothing.
"""

import re
from typing import Any

import jmespath
import msgspec
from jmespath import functions

_BRACKETS = re.compile(r"^(?:\s*\[[^\]]{0,64}\])+\s*")
_decode = msgspec.json.Decoder().decode
_ANY: dict[str, list[str]] = {"types": []}


class _Functions(functions.Functions):  # type: ignore[misc] # not typed
    @functions.signature(_ANY)  # type: ignore[untyped-decorator]
    def _func_parse_json(self, text: Any) -> Any:  # noqa: ANN401
        """The value in a text that is JSON."""
        if not isinstance(text, str):
            return None
        try:
            return _decode(text)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return None

    @functions.signature(_ANY)  # type: ignore[untyped-decorator]
    def _func_lower(self, text: Any) -> str | None:  # noqa: ANN401
        """The text in lower case."""
        return text.lower() if isinstance(text, str) else None

    @functions.signature(_ANY)  # type: ignore[untyped-decorator]
    def _func_without_brackets(self, text: Any) -> str | None:  # noqa: ANN401
        """The text without the words in brackets that it begins with."""
        return _BRACKETS.sub("", text) if isinstance(text, str) else None

    @functions.signature(_ANY)  # type: ignore[untyped-decorator]
    def _func_tags(self, tags: Any) -> dict[str, str]:  # noqa: ANN401
        """An object of tags: `a:b,c:d`, a list of `a:b`, or a list of pairs."""
        listed = tags.split(",") if isinstance(tags, str) else tags if isinstance(tags, list) else []
        found: dict[str, str] = {}
        for tag in listed:
            if isinstance(tag, str):
                name, separator, value = tag.strip().partition(":")
                if separator and name:
                    found.setdefault(name.strip(), value.strip())
            elif isinstance(tag, list) and len(tag) == 2 and all(isinstance(part, str) for part in tag):
                found.setdefault(tag[0], tag[1])
        return found

    @functions.signature(_ANY, {"types": ["string"]}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_pairs(self, items: Any, name: str, value: str) -> dict[str, Any]:  # noqa: ANN401
        """An object of a list of objects that each have a name and a value."""
        found: dict[str, Any] = {}
        for item in items if isinstance(items, list) else []:
            if isinstance(item, dict) and isinstance(item.get(name), str):
                found.setdefault(item[name], item.get(value))
        return found


OPTIONS = jmespath.Options(custom_functions=_Functions())
