"""The report as one HTML page: pure functions from artifacts to markup."""
