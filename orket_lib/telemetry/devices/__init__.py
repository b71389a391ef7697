"""GPUs behind one interface, whoever made them: what each says of itself, or why it does not."""
