"""Every key of the store, one function each. A docstring gives its type, TTL, writer and reader.

Foreign text is hashed before it becomes part of a key. Nothing else in the project writes a key down. Which of them
belong to one incident, and which last for moments, stands in `incidents/keyring.py`: list a new one there. The modules
are by subject; all that use keys say `keys.NAME`.
"""

from incidents.keys.alert_states import *  # noqa: F403
from incidents.keys.callers import *  # noqa: F403
from incidents.keys.intake import *  # noqa: F403
from incidents.keys.paging import *  # noqa: F403
from incidents.keys.records import *  # noqa: F403
from incidents.keys.rule_sets import *  # noqa: F403
