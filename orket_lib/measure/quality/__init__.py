"""Disturbances of a measurement, with evidence."""
