"""Drills: fail a region on purpose, measure the failover, and put everything back.

In: a deployed workshop, a client of AWS, a clock. Out: figures with their evidence. Nothing here prints.

The pipeline, one module per stage:

    deployment   finds the API, functions and table of each region       -> Deployment
    faults/*     snapshot a region's settings, change them, restore them -> text for the journal
    undo_log     keeps the journal entry that has to exist before a change
    machine_client  the app client that gets tokens, where an API asks for them
    load         writes and reads, and records everything                -> requests, writes, lags
                 failover_load fails over like the player, name_load is led by DNS
    failover     decides which region takes the writes (pure)
    phases       what every drill does; failover_drill and name_drill fill in the rest
    run          one drill from beginning to end                         -> DrillResult
    measure      RTO, RPO, availability and lag (pure)                   -> Figures
    report       judges by the targets; writes HTML, SVG and JSON

A fault changes nothing before its undo is in the journal, so a drill that is killed can be reverted by the next command. The
price is one journal entry per change and a snapshot that has to be valid in another process: plain text, no objects.
"""
