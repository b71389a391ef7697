"""The resolved sweep: cells, plan, schedule, and the files and servers that the config names."""
