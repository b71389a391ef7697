"""What this process may use of the machine: CPUs, CPU time and memory.

Containers, batch systems and `ulimit` limit a process to a part of the machine, which `psutil` and
`os.cpu_count` describe as a whole (T33). The tightest of all limits counts.
"""
