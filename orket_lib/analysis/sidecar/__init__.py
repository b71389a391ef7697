"""Hardware sidecars: reading what a tool printed, and how two sources differ."""
