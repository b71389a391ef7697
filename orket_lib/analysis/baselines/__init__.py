"""A sweep compared with recorded baselines: pairs of tasks, tests and regressions."""
