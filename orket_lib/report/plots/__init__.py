"""The plots: of a sweep, of contexts, of thermal series, and of a metric over time."""
