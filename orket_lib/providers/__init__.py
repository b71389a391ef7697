"""Door 1: the served model. One `Provider` interface, one streaming client per wire format."""
