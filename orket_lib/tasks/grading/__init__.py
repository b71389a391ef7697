"""What an answer is worth: extraction and graders."""
