"""A cell's row: quality, rates and energy out of its run report."""
