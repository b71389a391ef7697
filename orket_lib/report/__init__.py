"""Pure functions from artifacts to text, Markdown, HTML and plots; no measuring."""
