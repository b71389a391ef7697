"""What a sweep needs, checked before anything is loaded."""
