"""Where code that a model wrote is run: contained, within limits, and never believed.

A start costs one interpreter outside (the *launcher*) and one inside. The modules of this
package run in the measuring process; those of `inside` run in the sandbox, must load fast, and may
import only each other, because nothing else of the project is visible there. `inside.values` is
the format that both sides exchange.
"""
