"""The post-mortem as one page of HTML, to read and to print: without script, and what is foreign is text. Pure."""

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
from incidents.postmortem.templates import template
from incidents.postmortem.words import moment

_WEB = ("https://", "http://")


def as_html(draft: Draft, picture: str) -> str:
    """Return a post-mortem as a page; `picture` is the SVG that `picture_of` returned."""
    return template("postmortem.html.j2").render(
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
