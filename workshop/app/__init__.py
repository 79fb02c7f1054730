"""The use cases, without a command line: open a session, set up, tear down, check, rehearse, drill, observe.

Each takes values and callables (where progress goes, who is asked to stop) and returns a report. Nothing here prints, asks or
knows Click; `workshop.cli` parses and renders, `workshop.app` does.
"""
