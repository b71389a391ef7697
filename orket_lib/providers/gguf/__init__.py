"""GGUF files: header, identity, memory estimate, and quantization."""
