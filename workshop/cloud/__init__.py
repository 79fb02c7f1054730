"""The embedded local cloud: the parts of AWS that a workshop needs, in one process on the loopback address.

MiniStack is the emulator; this room adds what AWS does and MiniStack does not: time, lag, conflicts, refusals.
The rest of the project talks to `workshop.cloud.daemon` and `workshop.cloud.faults` only. Nothing here imports another room.
"""

__all__: list[str] = []
