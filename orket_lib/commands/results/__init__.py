"""Commands that show, compare and write what sweeps have found."""
