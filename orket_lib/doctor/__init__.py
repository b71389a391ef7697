"""What can be measured on this machine, and which config suits it."""
