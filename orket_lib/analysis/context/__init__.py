"""The context ceiling: the rows of several contexts, what each must reach, and what follows."""
