"""The shipped packs: clean, commented, and right about the alerts of common senders, one incident for each."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.evaluate import Outcome, evaluate
from rules.index import Matching
from rules.loading.files import PACKS_DIR, read_rule_files
from rules.loading.rule_set import load_rule_set
from rules.model import Subject

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
NAMES = sorted(path.stem for path in PACKS_DIR.glob("*.yml"))


class Known(NamedTuple):
    firing_since: datetime
    touched_at: datetime | None = None
    silent_since: datetime | None = None

    def count(self, within):
        return 1

    def distinct(self, label, within):
        return 1


def loaded(*names):
    read = read_rule_files([f"pack:{name}" for name in names])
    found = load_rule_set(read.files, now=NOW)
    assert (read.problems, found.problems) == ((), ())
    return found.rule_set


@pytest.fixture(scope="module")
def matching():
    """The rules on alerts of all packs, as they are in force without a file."""
    return Matching(loaded(*NAMES))


def declared(matching, labels, fires):
    """Return rule, severity and identity of everything that is declared after firing so long."""
    found = []
    for hit in matching.match(labels).hits:
        verdict = evaluate(hit, Known(NOW - fires), NOW)
        if verdict.outcome is Outcome.HOLDS and verdict.tier.declare is not None:
            found.append((hit.rule.id, verdict.tier.declare.value, hit.identity))
    return found


NOW_, LONG = timedelta(0), timedelta(hours=1)
SLOTH = {
    "alertname": "CheckoutErrors",
    "sloth_service": "checkout",
    "sloth_slo": "availability",
    "sloth_id": "checkout-a",
}
PYRRA = {"alertname": "ErrorBudgetBurn", "slo": "checkout", "short": "5m", "long": "1h", "exhaustion": "2d"}
MIXIN = {"alertname": "KubeAPIErrorBudgetBurn", "long": "1h", "short": "5m", "cluster": "eu"}
GRAFANA = {"alertname": "SLO burn", "grafana_slo_uuid": "u1", "grafana_slo_window": "28d", "service_name": "checkout"}
SHOP = {"alertname": "Down", "service": "shop"}
BURN = "slo.error-budget-burn"
CHECKOUT = {"service": "checkout", "slo": "availability"}
NODE = {"alertname": "NodeFilesystemAlmostOutOfSpace", "cluster": "eu", "instance": "n1", "service": "node-exporter"}
POD = {"alertname": "KubePodCrashLooping", "cluster": "eu", "job": "kube-state-metrics", "pod": "p", "container": "c"}
VOLUME = {"alertname": "KubePersistentVolumeFillingUp", "namespace": "db", "persistentvolumeclaim": "data-0"}

CASES = [
    ({**SHOP, "severity": "critical"}, NOW_, []),
    ({**SHOP, "severity": "critical"}, LONG, [("practice.critical", "SEV3", {"service": "shop"})]),
    ({**SHOP, "severity": "warning"}, LONG, []),
    ({**SHOP, "severity": "critical", "env": "staging"}, LONG, []),
    ({**SHOP, "severity": "error"}, LONG, [("practice.takes-too-long", "SEV3", {"service": "shop"})]),
    ({**SHOP, "data_issue": "loss"}, NOW_, [("data.issue", "SEV1", {"service": "shop"})]),
    ({**SHOP, "data_issue": "non_compliance"}, NOW_, [("data.non-compliance", "SEV1", {"service": "shop"})]),
    (
        {**SHOP, "data_issue": "corruption", "dataset": "orders", "severity": "critical", "slo": "x"},
        LONG,
        [("data.issue", "SEV1", {"service": "shop", "dataset": "orders"})],
    ),
    (
        {**SHOP, "customer_facing": "true", "severity": "page"},
        NOW_,
        [("practice.customer-facing", "SEV2", {"service": "shop"})],
    ),
    ({**SHOP, "customer_facing": "true"}, LONG, [("practice.customer-facing", "SEV3", {"service": "shop"})]),
    (
        {**SHOP, "customer_visible": "yes", "severity": "critical"},
        NOW_,
        [("practice.customer-visible", "SEV2", {"service": "shop"})],
    ),
    (
        {**SHOP, "customer_visible": "true", "customer_facing": "true", "severity": "critical"},
        NOW_,
        [("practice.customer-facing", "SEV2", {"service": "shop"})],
    ),
    ({**SHOP, "corrective_action": "rollback"}, NOW_, [("practice.corrective-action", "SEV3", {"service": "shop"})]),
    ({**SLOTH, "sloth_severity": "page", "severity": "critical"}, NOW_, [(BURN, "SEV2", CHECKOUT)]),
    ({**SLOTH, "sloth_severity": "page", "customer_facing": "true"}, NOW_, [(BURN, "SEV2", CHECKOUT)]),
    ({**SLOTH, "sloth_severity": "ticket"}, NOW_, []),
    ({**SLOTH, "sloth_severity": "ticket"}, LONG, [(BURN, "SEV3", CHECKOUT)]),
    ({**SLOTH, "sloth_severity": "page", "slo": "of-a-team"}, NOW_, [(BURN, "SEV2", CHECKOUT)]),
    ({**PYRRA, "severity": "critical"}, NOW_, [(BURN, "SEV2", {"slo": "checkout"})]),
    ({**PYRRA, "severity": "warning"}, NOW_, []),
    (
        {"alertname": "SLOMetricAbsent", "slo": "checkout", "severity": "critical"},
        LONG,
        [("slo.metric-absent", "SEV3", {"slo": "checkout"})],
    ),
    ({**GRAFANA, "grafana_slo_severity": "critical"}, NOW_, [(BURN, "SEV2", {"service": "checkout", "slo": "u1"})]),
    ({**GRAFANA, "grafana_slo_severity": "warning"}, NOW_, []),
    (
        {"alertname": "ApiBurnRateHigh", "severity": "page", "service": "api"},
        NOW_,
        [("slo.unnamed-budget-burn", "SEV2", {"service": "api"})],
    ),
    ({**MIXIN, "severity": "critical"}, NOW_, [("kube.api-budget-burn", "SEV2", {"cluster": "eu"})]),
    ({**NODE, "severity": "warning"}, LONG, []),
    ({**NODE, "severity": "critical"}, LONG, [("kube.node", "SEV3", {"cluster": "eu", "node": "n1"})]),
    ({**POD, "severity": "warning", "namespace": "shop"}, LONG, []),
    (
        {**POD, "severity": "warning", "namespace": "kube-system"},
        LONG,
        [("kube.workload", "SEV3", {"cluster": "eu", "namespace": "kube-system"})],
    ),
    (
        {**VOLUME, "severity": "critical"},
        NOW_,
        [("kube.volume", "SEV3", {"namespace": "db", "persistentvolumeclaim": "data-0"})],
    ),
    (
        {"alertname": "PrometheusRuleFailures", "namespace": "monitoring", "severity": "critical"},
        NOW_,
        [("kube.monitoring", "SEV2", {"namespace": "monitoring"})],
    ),
    ({"alertname": "Watchdog", "severity": "critical"}, LONG, []),
    ({"alertname": "InfoInhibitor", "severity": "critical"}, LONG, []),
    ({"alertname": "TargetDown", "severity": "none"}, LONG, []),
    ({"alertname": "CPUThrottlingHigh", "severity": "info", "namespace": "shop"}, LONG, []),
]


@pytest.mark.parametrize(("labels", "fires", "expected"), CASES)
def test_packs_declare_by_the_criteria_of_the_practice(matching, labels, fires, expected):
    """One alert is one finding, of the most special criterion."""
    assert declared(matching, labels, fires) == expected


# The alerts of kube-prometheus that are critical (some of their sisters of the same name are warnings).
CRITICAL_OF_KUBE = [
    "AlertmanagerClusterCrashlooping",
    "AlertmanagerClusterDown",
    "AlertmanagerClusterFailedToSendAlerts",
    "AlertmanagerConfigInconsistent",
    "AlertmanagerFailedReload",
    "AlertmanagerMembersInconsistent",
    "CoreDNSDown",
    "KubeAPIDown",
    "KubeAPIErrorBudgetBurn",
    "KubeClientCertificateExpiration",
    "KubeControllerManagerDown",
    "KubePersistentVolumeErrors",
    "KubePersistentVolumeFillingUp",
    "KubePersistentVolumeInodesFillingUp",
    "KubeProxyDown",
    "KubeSchedulerDown",
    "KubeStateMetricsListErrors",
    "KubeStateMetricsShardingMismatch",
    "KubeStateMetricsShardsMissing",
    "KubeStateMetricsWatchErrors",
    "KubeletClientCertificateExpiration",
    "KubeletDown",
    "KubeletServerCertificateExpiration",
    "NodeFileDescriptorLimit",
    "NodeFilesystemAlmostOutOfFiles",
    "NodeFilesystemAlmostOutOfSpace",
    "NodeFilesystemFilesFillingUp",
    "NodeFilesystemSpaceFillingUp",
    "NodeRAIDDegraded",
    "PrometheusBadConfig",
    "PrometheusErrorSendingAlertsToAnyAlertmanager",
    "PrometheusRemoteStorageFailures",
    "PrometheusRemoteWriteBehind",
    "PrometheusRuleFailures",
    "PrometheusTargetSyncFailure",
    "etcdGRPCRequestsSlow",
    "etcdHighFsyncDurations",
    "etcdHighNumberOfFailedGRPCRequests",
    "etcdInsufficientMembers",
    "etcdNoLeader",
    "etcdDatabaseQuotaLowSpace",
]


@pytest.mark.parametrize("name", CRITICAL_OF_KUBE)
def test_packs_know_what_is_critical_in_kubernetes(matching, name):
    """Each is one incident of the pack for Kubernetes, and never one of the Service whose exporter told of it."""
    labels = {"alertname": name, "severity": "critical", "cluster": "eu", "namespace": "monitoring", "job": "exporter"}
    found = declared(matching, {**labels, "service": "exporter", "instance": "10.0.0.1:9100"}, LONG)
    assert [rule.partition(".")[0] for rule, _, _ in found] == ["kube"]
    assert "service" not in found[0][2]


LABELS = st.fixed_dictionaries(
    {},
    optional={
        "alertname": st.sampled_from(
            [
                *CRITICAL_OF_KUBE,
                "KubeNodeNotReady",
                "KubePodNotReady",
                "KubeJobFailed",
                "TargetDown",
                "ErrorBudgetBurn",
                "SLOMetricAbsent",
                "Down",
                "NodeDown",
                "Kubernetes",
            ]
        ),
        "severity": st.sampled_from(["critical", "page", "error", "warning", "info", "none"]),
        "service": st.sampled_from(["shop", "node-exporter"]),
        "slo": st.just("availability"),
        "sloth_severity": st.sampled_from(["page", "ticket"]),
        "data_issue": st.sampled_from(["loss", "theft", "true"]),
        "customer_facing": st.sampled_from(["true", "false"]),
        "customer_visible": st.sampled_from(["yes", "no"]),
        "corrective_action": st.just("reboot"),
        "cluster": st.just("eu"),
        "namespace": st.sampled_from(["kube-system", "shop"]),
        "node": st.just("n1"),
        "env": st.sampled_from(["prod", "dev"]),
    },
)


@given(labels=LABELS)
def test_packs_declare_no_alert_twice(matching, labels):
    """Whatever an alert says, all the packs together see one incident in it, or none."""
    identities = [identity for _, _, identity in declared(matching, labels, timedelta(hours=2))]
    assert all(identity == identities[0] for identity in identities)


@given(labels=LABELS)
def test_packs_leave_no_critical_alert_to_nobody(matching, labels):
    """What is critical and not of a test environment is an incident within the hour."""
    found = declared(matching, {**labels, "severity": "critical"}, LONG)
    assert found or labels.get("env") == "dev"


@pytest.mark.parametrize("name", NAMES)
def test_packs_stand_alone(name):
    """Each pack loads without another one and without a word of complaint."""
    assert loaded(name).rules


def test_packs_say_the_same_of_a_label():
    """Whichever packs are in force, a label is normalized alike."""
    said = {}
    for name in NAMES:
        for label, sources in loaded(name).normalize.items():
            assert said.setdefault(label, sources) == sources, (name, label)


def test_packs_bring_those_that_take_what_they_leave():
    """The general rule of the practice leaves alerts to other packs, and never stands without them."""
    files = read_rule_files(["pack:practice"]).files
    assert [file.name for file in files] == ["pack:practice", "pack:data", "pack:kube", "pack:slo"]


def test_packs_hold_all_five_criteria_of_the_practice():
    """No criterion of the practice is without a rule; a storm and a lost signal have theirs as well."""
    found = {rule.criterion.value for rule in loaded(*NAMES).rules}
    assert found >= {"slo_breach", "corrective_action", "time_spent", "data_issue", "customer_visible"}
    assert found >= {"alert_storm", "signal_lost"}


def test_packs_take_what_people_did_for_an_incident():
    """A major change is most likely an incident; a note is not."""
    actions = Matching(loaded("practice"), Subject.ACTION)
    assert [hit.rule.id for hit in actions.match({"kind": "rollback", "service": "shop"}).hits] == [
        "practice.major-action"
    ]
    assert actions.match({"kind": "note", "service": "shop"}).hits == ()


@pytest.mark.parametrize("name", NAMES)
def test_packs_comment_every_rule(name):
    """Each rule has a comment right above it, but where two share one; the head says what the pack is for."""
    lines = (PACKS_DIR / f"{name}.yml").read_text().splitlines()
    starts = [place for place, line in enumerate(lines) if line.startswith("- id:")]
    uncommented = [lines[place] for place in starts if not lines[place - 1].startswith("#")]
    assert uncommented in ([], ["- id: practice.customer-visible"])
    assert lines[0].startswith("# ")
