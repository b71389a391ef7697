"""A config, resolved: cells, plan, schedule, and the files and servers it refers to."""
