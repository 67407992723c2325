"""The templates of a post-mortem and its picture: whatever is foreign in them is text, without what no screen shows."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from incidents.texts import lines


@cache
def template(name: str) -> Template:
    """Return a template of this folder."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_fit,
    )
    return environment.get_template(name)


def _fit(value: object) -> object:
    """Return what is to be shown without what is unfit for a screen; markup of ours stays as it is."""
    return lines(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
