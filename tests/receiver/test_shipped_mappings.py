"""The mappings that come with Tocsin, on payloads written from their senders' documentation."""

import json

import pytest

from receiver.payloads.generic import parse
from receiver.payloads.mapping import compile_mapping, shipped


def mapped(name, body):
    return parse(json.dumps(body).encode(), compile_mapping(name))


def only(name, body):
    found = mapped(name, body)
    assert (len(found.incoming), found.refused) == (1, [])
    return found.incoming[0]


def test_shipped_mappings_are_there():
    """As package data."""
    assert shipped() == ("cloudwatch-sns", "datadog", "sentry")


ALARM = {
    "AlarmName": "orders-5xx",
    "AlarmDescription": "Too many errors",
    "AWSAccountId": "123456789012",
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed: 1 datapoint (10.0) was greater than the threshold (1.0).",
    "StateChangeTime": "2026-11-02T02:58:27.123+0000",
    "Region": "EU (Ireland)",
    "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:orders-5xx",
    "OldStateValue": "OK",
    "Trigger": {
        "MetricName": "HTTPCode_Target_5XX_Count",
        "Namespace": "AWS/ApplicationELB",
        "StatisticType": "Statistic",
        "Statistic": "SUM",
        "Unit": None,
        "Dimensions": [{"value": "app/orders/1", "name": "LoadBalancer"}],
        "Period": 60,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 1.0,
    },
}


def sns(message, **fields):
    return {
        "Type": "Notification",
        "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:alarms",
        "Subject": "ALARM",
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": "2026-11-02T02:58:27.200Z",
        "SignatureVersion": "1",
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/x.pem",
    } | fields


def test_cloudwatch_alarm_through_sns():
    """The alarm is a text inside the envelope; the envelope's id tells a delivery that comes again."""
    event = only("cloudwatch-sns", sns(ALARM))
    assert event.ids == ("95df01b4-ee98-5cb9-9903-4c221d41eb5e",)
    assert event.alert.status == "firing"
    assert event.alert.labels == {
        "alertname": "orders-5xx",
        "service": "AWS/ApplicationELB",
        "namespace": "AWS/ApplicationELB",
        "metric": "HTTPCode_Target_5XX_Count",
        "region": "EU (Ireland)",
        "account": "123456789012",
        "LoadBalancer": "app/orders/1",
    }
    assert event.alert.annotations["summary"].startswith("Threshold Crossed")
    assert event.alert.starts_at.minute == 58


def test_cloudwatch_ok_resolves_the_same_alert():
    """By the ARN of the alarm."""
    over = only("cloudwatch-sns", sns(ALARM | {"NewStateValue": "OK"})).alert
    assert (over.status, over.ends_at.minute) == ("resolved", 58)
    assert over.fingerprint == only("cloudwatch-sns", sns(ALARM)).alert.fingerprint


def test_cloudwatch_raw_delivery_and_composite_alarm():
    """Without an envelope, and without a metric."""
    composite = {name: value for name, value in ALARM.items() if name != "Trigger"} | {"AlarmRule": "ALARM(x)"}
    event = only("cloudwatch-sns", composite)
    assert (event.ids, event.alert.labels["alertname"]) == ((), "orders-5xx")


def test_cloudwatch_insufficient_data_says_nothing():
    """It is neither an alarm nor its end."""
    found = mapped("cloudwatch-sns", sns(ALARM | {"NewStateValue": "INSUFFICIENT_DATA"}))
    assert found == ([], [])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            sns("You have chosen to subscribe", Type="SubscriptionConfirmation", Token="2336412f37f",
                SubscribeURL="https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37f"),
            "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37f",
        ),
        (sns("bye", Type="UnsubscribeConfirmation"), "has ended"),
        (sns("plain text"), "no alarm"),
        (sns({"some": "json"}), "no alarm"),
        ({}, "no alarm"),
        ([], "no alarm"),
    ],
)  # fmt: skip
def test_cloudwatch_other_messages_are_kept_aside(body, told):
    """A confirmation is never followed: whoever runs Tocsin is told what to do."""
    found = mapped("cloudwatch-sns", body)
    assert found.incoming == []
    assert told in found.refused[0].reason


DATADOG = {
    "id": "7777777",
    "alert_id": "1234",
    "alert_title": "CPU of orders is high",
    "transition": "Triggered",
    "type": "error",
    "priority": "P1",
    "title": "[P1] [Triggered on {host:db-1}] CPU of orders is high",
    "scope": "host:db-1,role:primary",
    "tags": "env:prod,service:orders,monitor",
    "hostname": "db-1",
    "metric": "system.cpu.user",
    "body": "CPU was over 90 % for five minutes.",
    "link": "https://app.datadoghq.example/monitors/1234",
    "snapshot": "",
}


def test_datadog_documented_payload():
    """Tags become labels."""
    event = only("datadog", DATADOG)
    assert (event.ids, event.alert.status) == (("7777777",), "firing")
    assert event.alert.labels == {
        "alertname": "CPU of orders is high",
        "service": "orders",
        "severity": "P1",
        "host": "db-1",
        "metric": "system.cpu.user",
        "env": "prod",
        "role": "primary",
    }
    assert event.alert.annotations["summary"] == "CPU of orders is high"
    assert event.alert.generator_url == DATADOG["link"]


@pytest.mark.parametrize(
    ("transition", "status"),
    [
        ("Recovered", "resolved"),
        ("No Data Recovered", "resolved"),
        ("No Data", "firing"),
        ("Re-Triggered", "firing"),
        ("Warn", "firing"),
        ("Renotify", "firing"),
    ],
)
def test_datadog_transitions(transition, status):
    """Each group of a monitor is one alert through all of them."""
    alert = only("datadog", DATADOG | {"transition": transition, "id": "8"}).alert
    assert (alert.status, alert.fingerprint) == (status, only("datadog", DATADOG).alert.fingerprint)
    assert alert.fingerprint != only("datadog", DATADOG | {"scope": "host:db-2"}).alert.fingerprint


def test_datadog_default_payload_is_known_by_its_title():
    """What its user has not changed."""
    default = {"body": "x", "last_updated": "1793588400000", "event_type": "metric_alert_monitor", "org": {"id": "1"}}
    fired = only("datadog", default | {"id": "1", "title": "[Triggered on {host:a}] CPU is high"}).alert
    over = only("datadog", default | {"id": "2", "title": "[Recovered on {host:a}] CPU is high"}).alert
    assert (fired.labels, fired.status, over.status) == ({"alertname": "CPU is high"}, "firing", "resolved")
    assert fired.fingerprint == over.fingerprint


def test_sentry_issue_alert_and_the_end_of_its_issue():
    """An issue that is resolved ends the alert of a rule that it set off."""
    raised = {
        "issue_id": "1117540176",
        "project": 1,
        "level": "error",
        "title": "ReferenceError: heck is not defined",
        "culprit": "app.orders",
        "web_url": "https://sentry.example/issues/1117540176/events/e4",
        "tags": [["environment", "prod"], ["service", "orders"], ["browser", "Chrome 75"]],
    }
    alert = only("sentry", {"action": "triggered", "data": {"event": raised, "triggered_rule": "Very important"}}).alert
    assert alert.labels == {
        "alertname": "Very important",
        "service": "orders",
        "severity": "error",
        "project": "1",
        "environment": "prod",
    }
    assert alert.annotations["summary"] == "ReferenceError: heck is not defined"
    assert alert.generator_url == raised["web_url"]
    issue = {"id": "1117540176", "shortId": "WEB-9", "title": "x", "level": "error", "project": {"slug": "web"}}
    over = only("sentry", {"action": "resolved", "data": {"issue": issue}}).alert
    assert (over.status, over.fingerprint, over.labels["service"]) == ("resolved", alert.fingerprint, "web")


def test_sentry_metric_alert():
    """Critical and warning fire, resolved ends."""
    data = {
        "description_title": "Critical: Too many errors",
        "description_text": "1000 events in the last 10 minutes",
        "web_url": "https://sentry.example/alerts/4/",
        "metric_alert": {
            "id": "4",
            "title": "Too many errors",
            "projects": ["orders"],
            "alert_rule": {"name": "Errors"},
        },
    }
    fired = only("sentry", {"action": "critical", "data": data}).alert
    over = only("sentry", {"action": "resolved", "data": data}).alert
    assert fired.labels == {"alertname": "Errors", "service": "orders", "severity": "critical", "project": "orders"}
    assert (fired.status, over.status, fired.fingerprint) == ("firing", "resolved", over.fingerprint)
    assert fired.annotations["description"] == "1000 events in the last 10 minutes"


@pytest.mark.parametrize(
    "body",
    [
        {"action": "created", "data": {"comment": "x", "issue_id": 5}},
        {"action": "created", "data": {"installation": {}}},
        {"action": "assigned", "data": {"issue": {"id": "1", "title": "x"}}},
        {},
        [],
    ],
)
def test_sentry_what_is_no_alert_says_nothing(body):
    """Comments, installations, assignments."""
    assert mapped("sentry", body) == ([], [])
