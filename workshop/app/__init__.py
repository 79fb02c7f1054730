"""The use cases, without a command line: open a session, set up, tear down, check, rehearse, drill, observe.

Each takes values and callables (where progress goes, the signal to stop) and returns a report. Nothing here prints, asks or
imports Click: `workshop.cli` parses and renders, `workshop.app` does the work.
"""
