"""Commands that pack a sweep so that others can check it, and that check it."""
