"""What the machine is, and what it does during a measurement."""
