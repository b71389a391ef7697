"""What disturbed a measurement, with the evidence."""
