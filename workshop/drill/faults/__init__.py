"""The faults: one file each, whose attribute `FAULT` is registered under its name in `workshop.drill.registry`."""
