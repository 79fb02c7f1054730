"""The embedded local cloud: the parts of AWS that a workshop needs, in one process on the loopback address.

In: orders to start, stop and break it. Out: AWS's APIs on one port. MiniStack is the emulator; this room adds what AWS does and
MiniStack does not: time, lag, conflicts, refusals. Other rooms use `daemon`, `faults` and `fault_model` only; nothing here
imports another room.
"""

__all__: list[str] = []
