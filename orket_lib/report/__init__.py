"""Pure functions from artifacts to what people read; nothing here knows how to measure."""
