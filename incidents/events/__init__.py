"""What can happen to an incident: the events of the transition table. Pure values.

The modules are by who or what brings an event; all that use them say `events.NAME`.
"""

from incidents.events.document import *  # noqa: F403
from incidents.events.findings import *  # noqa: F403
from incidents.events.paging import *  # noqa: F403
from incidents.events.people import *  # noqa: F403

Event = ByPeople | ByFindings | ByPaging | ByDocument  # noqa: F405
