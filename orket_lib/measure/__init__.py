"""The harness: combines provider, tasks and telemetry into measurements."""
