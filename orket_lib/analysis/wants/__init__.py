"""What a sweep's wants are answered with: what meets all, what nearly does, what would give."""
