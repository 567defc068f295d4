"""Seeing what the service does: metrics, readiness, logs, traces. See docs/observability.md."""
