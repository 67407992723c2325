"""What each severity asks of people where no file says otherwise."""

from datetime import timedelta

from incidents.oncall import SeveritySettings
from incidents.values import Severity

SEVERITY_DEFAULTS = {
    Severity.SEV1: SeveritySettings(
        acknowledge_within=timedelta(minutes=5),
        update_every=timedelta(minutes=30),
        postmortem="required",
        stakeholders=("management",),
    ),
    Severity.SEV2: SeveritySettings(
        acknowledge_within=timedelta(minutes=5), update_every=timedelta(hours=1), postmortem="required"
    ),
    Severity.SEV3: SeveritySettings(acknowledge_within=timedelta(minutes=30), postmortem="optional"),
    Severity.SEV4: SeveritySettings(postmortem="none"),
}
