"""llama.cpp: embedded, as `llama-server`, attached, and as a router."""
