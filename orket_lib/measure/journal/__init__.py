"""The journal of a measurement, and the sealed parts made from it."""
