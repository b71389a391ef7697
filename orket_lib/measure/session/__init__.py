"""A session: a served, warm model, and what is sampled while it is measured."""
