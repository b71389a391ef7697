"""What lies in storage/, and what it is made of."""
