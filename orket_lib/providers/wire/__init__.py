"""Wire formats: HTTP, server-sent events, JSON lines, Prometheus."""
