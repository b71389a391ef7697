"""The project's words: quant tags, slugs, reasons, statuses, errors. Imports nothing of ours."""
