"""Task banks from files that people have: tables, and well-known shapes of benchmark data."""
