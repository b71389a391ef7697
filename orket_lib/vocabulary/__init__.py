"""Shared words and values: quant tags, reasons, statuses, errors. Imports no other package of ours."""
