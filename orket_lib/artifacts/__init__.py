"""One module per artifact: its pydantic model and nothing else; `io` reads and writes them."""
