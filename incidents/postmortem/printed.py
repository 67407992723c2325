"""The post-mortem as one page of HTML, to read and to print: without script, and what is foreign is text. Pure."""

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from incidents.postmortem.draft import Draft
from incidents.postmortem.markdown import (
    COLUMNS,
    STATES,
    budget_rows,
    line_cells,
    number_rows,
    objective_rows,
    roles_told,
)
from incidents.postmortem.words import moment
from incidents.texts import lines

_WEB = ("https://", "http://")


def as_html(draft: Draft, picture: str) -> str:
    """Return a post-mortem as a page; `picture` is the SVG that `picture_of` returned."""
    return _template().render(
        draft=draft,
        state=STATES[draft.state],
        picture=picture,  # what is foreign in it is escaped
        numbers=[*number_rows(draft), *budget_rows(draft)],
        people=[(each, roles_told(each)) for each in draft.people],
        objectives=objective_rows(draft),
        columns=COLUMNS,
        lines=(line_cells(line, escaped=False) for line in draft.timeline),
        moment=moment,
        is_web=lambda url: url.lower().startswith(_WEB),
    )


def _fit(value: object) -> object:
    """Return what is to be shown without what is unfit for a screen; markup of ours stays as it is."""
    return lines(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_fit,
    )
    return environment.get_template("postmortem.html.j2")
