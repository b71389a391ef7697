"""Child processes, locks and time limits: no wait is endless."""
