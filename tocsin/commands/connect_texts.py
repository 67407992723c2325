"""What `tocsin connect` prints for each sender. Names of templates stand for values that are quoted as JSON."""

from string import Template

ALERTMANAGER = Template("""\
# For alertmanager.yml. Then: amtool check-config alertmanager.yml, and reload (kill -HUP, or POST /-/reload).
#
# Beside your own receivers:
receivers:
- name: tocsin
  webhook_configs:
  - url: $url
    # Resolved alerts are what closes an incident.
    send_resolved: true
    # 0 sends every alert of a group, but a body over 64 MiB is refused, and Alertmanager does not try it again. What is
    # cut off is lost too: it is counted in tocsin_alerts_truncated_total. Group by more labels rather than reach this.
    max_alerts: 20000
    http_config:
      authorization:
        type: Bearer
        # $token_note
        credentials_file: $token_file

# Where you have routes already, keep your receiver at the top and put these before them.
route:
  receiver: tocsin
  routes:
  # The alert that always fires proves that the way is open: each by itself, about once a minute.
  - receiver: tocsin
    matchers: ['alertname="Watchdog"']
    group_by: ['...']
    group_wait: 0s
    group_interval: 10s
    repeat_interval: 50s
  # Everything else. Tocsin tells repeats apart and waits by its own rules, so nothing need wait here.
  - receiver: tocsin
    continue: true
    group_wait: 1s
    group_interval: 15s
    repeat_interval: 1h
  # Your own routes follow here, and continue lets them apply. The receiver at the top gets only what no route matched,
  # so let the last route name it:
  # - receiver: the one at the top
""")

PROMETHEUS = Template("""\
# For prometheus.yml, beside the Alertmanagers that are there. Then: promtool check config prometheus.yml, and reload.
# Prometheus posts every alert anew about once a minute; what it posts no more is resolved. Of two Prometheus servers
# with the same rules, drop the label that tells them apart by alert_relabel_configs, or each alert comes twice.
alerting:
  alertmanagers:
  - scheme: $scheme
    path_prefix: $prefix
    api_version: v2
    authorization:
      type: Bearer
      # $token_note
      credentials_file: $token_file
    static_configs:
    - targets: [$host]
""")

PAGERDUTY = Template("""\
# In PagerDuty: Integrations > Generic Webhooks (v3) > New Webhook.
#
#   Webhook URL         $url
#   Scope               account, a team, or a service: as you like
#   Event subscription  every event of incident
#
# PagerDuty calls from the internet, over HTTPS with a certificate of a public authority.
# PagerDuty shows the signing secret once. Put it in before you enable the webhook, for after three refused deliveries
# PagerDuty sends nothing for a day: $token_note
# Then restart Tocsin, and let PagerDuty send its test event: it must be answered 202.
#
# The same by its API, with a key of yours in the variable PAGERDUTY_KEY (the answer holds the secret):
curl --request POST https://api.pagerduty.com/webhook_subscriptions \\
  --header "Authorization: Token token=$$PAGERDUTY_KEY" --header 'Content-Type: application/json' --data @- <<'END'
{"webhook_subscription": {"type": "webhook_subscription",
  "delivery_method": {"type": "http_delivery_method", "url": $quoted_url},
  "filter": {"type": "account_reference"},
  "events": ["incident.acknowledged", "incident.annotated", "incident.delegated", "incident.escalated",
    "incident.priority_updated", "incident.reassigned", "incident.reopened", "incident.resolved",
    "incident.responder.added", "incident.responder.replied", "incident.status_update_published",
    "incident.triggered", "incident.unacknowledged"]}}
END
""")

PAGERDUTY_EVENTS = Template("""\
# For whatever speaks PagerDuty's Events API v2; only its address changes.
#
#   events        $url
#   change events $change_url
#   routing key   $token_note
#
# In Grafana: the setting URL of the PagerDuty contact point. In alertmanager.yml:
receivers:
- name: tocsin
  pagerduty_configs:
  - url: $quoted_url
    routing_key_file: $token_file
    send_resolved: true
    severity: '{{ or .CommonLabels.severity "error" }}'
""")

GRAFANA = Template("""\
# For Grafana: provisioning/alerting/tocsin.yaml, or the same by hand under Alerting > Contact points > Webhook.
# Grafana takes the token from its environment: start it with TOCSIN_TOKEN.
# $token_note
# Then let the notification policies lead to this contact point; Test in Grafana must be answered 202.
apiVersion: 1
contactPoints:
- orgId: 1
  name: tocsin
  receivers:
  - uid: tocsin
    type: webhook
    # Resolved alerts are what closes an incident.
    disableResolveMessage: false
    settings:
      url: $quoted_url
      httpMethod: POST
      authorization_scheme: Bearer
      authorization_credentials: $$TOCSIN_TOKEN
      # 0 sends every alert of a group.
      maxAlerts: 0
""")

GENERIC = Template("""\
# Post JSON to the source $name (mapping: $mapping); the answer is 202 when the store has it.
#   $url
""")

GENERIC_TOKEN = Template("""\
# $note
# A sender that takes no headers may have it in the address, as a password: $url_with_token
# By hand, with the token in the variable TOCSIN_TOKEN:
curl --fail-with-body --header "Authorization: Bearer $$TOCSIN_TOKEN" --header 'Content-Type: application/json' \\
  --data @payload.json $url
""")

GENERIC_SIGNED = Template("""\
# The sender signs with the signing secret of the source: by Standard Webhooks (webhook-id, webhook-timestamp,
# webhook-signature), or in the header that the mapping names as signature_header.
""")

# What each shipped mapping needs on the other side.
OF_MAPPING = {
    "cloudwatch-sns": """\
# AWS: let the alarms notify an SNS topic for ALARM and OK; subscribe the address with the token in it to that topic
# over HTTPS. SNS asks for a confirmation, which Tocsin never gives by itself: `tocsin quarantine list` shows it, with
# the address to open once.
""",
    "datadog": """\
# Datadog: Integrations > Webhooks > New with this address, the custom header {"Authorization": "Bearer TOKEN"}, and
# this payload; then write @webhook-NAME into the monitors.
# {"id": "$ID", "alert_id": "$ALERT_ID", "alert_title": "$ALERT_TITLE", "transition": "$ALERT_TRANSITION",
#  "type": "$ALERT_TYPE", "priority": "$ALERT_PRIORITY", "title": "$EVENT_TITLE", "scope": "$ALERT_SCOPE",
#  "tags": "$TAGS", "hostname": "$HOSTNAME", "metric": "$ALERT_METRIC", "body": "$TEXT_ONLY_MSG", "link": "$LINK",
#  "snapshot": "$SNAPSHOT"}
""",
    "sentry": """\
# Sentry: Settings > Custom Integrations > Internal Integration, with this address as the webhook, Alert Rule Action
# switched on, and the resource issue. Its client secret goes into signing_secret_file of the source: Sentry signs with
# it.
""",
}

NOT_CONFIGURED = Template("""\
# There is no such source yet. In $config, and then restart Tocsin:
# sources:
# - {name: $name, kind: $kind, $credential: $place}$how
#
""")
