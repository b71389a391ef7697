"""Runs code that a model wrote: contained, limited, and never trusted.

Starting a sandbox costs one interpreter outside (the *launcher*) and one inside. The modules of
this package run in the measuring process. Those of `inside` run in the sandbox: they must load fast
and may import only each other, because nothing else of the project is visible there.
`inside.values` is the format that both sides exchange.
"""
