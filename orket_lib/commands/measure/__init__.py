"""Commands of the workflow that load a model, or look whether one can be."""
