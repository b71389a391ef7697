"""The harness: puts provider, tasks and telemetry together into measurements."""
