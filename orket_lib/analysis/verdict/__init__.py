"""The judge: what may be claimed of a quant, and how sure it is."""
