"""What can be found out before the clients open, one file per family of checks. Reads only; the rehearsal is elsewhere."""
