"""Shared words and values: quant tags, reasons, statuses, errors. Imports no other room."""
