"""The served model: one `Provider` interface, and one streaming client per wire format."""
