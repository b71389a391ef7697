"""Child processes and time limits: every wait for something outside has an end."""
