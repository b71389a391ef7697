"""What runs inside the sandbox; it imports nothing else of ours."""
