"""Thermal series: many generations in a row, with temperature, clock and power over time."""
