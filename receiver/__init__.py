"""HTTP: webhooks in, API and pages out. Thin: authenticate, parse, hand over, render."""
