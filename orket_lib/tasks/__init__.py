"""Tasks, and how their answers are graded."""
