"""llama.cpp: embedded, started, attached to, or as a router."""
