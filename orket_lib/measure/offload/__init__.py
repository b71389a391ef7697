"""The search for the layers on the GPU: bisection, memory, speeds, and what contradicts them."""
