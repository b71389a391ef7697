"""Thermal series: many generations in a row, observed."""
