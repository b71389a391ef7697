"""Door 3: what the machine is and what it does while we measure."""
