"""Any other server with OpenAI's chat completions, such as vLLM."""
