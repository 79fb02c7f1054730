"""Provision, check, drill and remove a hands-on multi-region AWS workshop."""

__version__ = "0.1.0"
