"""Door 2: what is asked, and how answers are judged."""
