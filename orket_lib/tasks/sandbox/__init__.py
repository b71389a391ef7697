"""Where code that a model wrote is run: contained, within limits, and never believed.

A start costs one interpreter outside (the *launcher*) and one inside. The modules of this package
stand on three sides: what the measuring process uses (`jobs`, `finding`, `contained`, `examples`),
what runs inside and must load fast (`supervisor`, `step`, `calls`, `kernel`), and `values`, which
both sides speak. The inside may import nothing of ours but its own modules: nothing else of the
project can be seen there.
"""
