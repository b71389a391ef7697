"""All models of a sweep together: one ranking, the Pareto set, and the best for a memory size."""
