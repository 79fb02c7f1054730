"""Drills: a region is failed on purpose, the failover is watched and measured, and everything is put back.

Comes in: a workshop that stands, doors to AWS, a clock. Goes out: figures with their evidence. Nothing here prints, and nothing
is changed before the way back is in the journal.
"""
