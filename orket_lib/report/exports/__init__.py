"""A sweep as data for other programs: its rows, its runs, a model index, a card."""
