"""The domain of Tocsin: alerts, incidents, transitions, timelines, on-call. Pure, but for `incidents.store`."""
