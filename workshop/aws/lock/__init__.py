"""How one run at a time changes a workshop of an account, from whatever machine it is started.

The lock is one SSM parameter of the home region, `/workshop/NAME/claim`. Its text, the claim, is the record of the run that
wrote it: who, where, until when. SSM refuses to create a parameter that exists, but never refuses to overwrite it; it numbers
the writes (versions 1, 2, 3 ... without gaps) and keeps the older texts. So the parameter is a log, and each write names the
version and the digest of the text that it was written over. It counts only if it comes directly after exactly that text:

    version  written by                   over  counts?
    1        ana   creates                -     yes: ana holds the lock
    2        ana   renews (every 2 min)   1     yes
             ana's machine sleeps: ten minutes after its last write that counts, a claim lapses
    3        bob   takes over             2     yes: bob holds the lock
    4        eve   takes over             2     no: 3 came in between; eve reads back, finds 3 and gives way
             ana wakes up, reads 4, then 3, sees that it is not hers, and stops
    5        bob   renews                 4     yes: directly after 4, whether 4 counts or not
    (none)   bob   releases: deletes the parameter; SSM keeps the name for about 30 s more

Who holds the lock is read backwards from the last write, to the first that counts. Writes are never undone, and only the
holder deletes, so two runs that act at the same moment reach the same result. A claim lapses ten minutes after SSM stored
it (by SSM's clock, whatever end it names), or at once when its process on this machine is dead. A digest is needed besides the
version because the numbers begin again when the parameter is deleted and created anew. A service that reports no versions has
no log: there the last write counts, and each run reads again a moment after its own (`claim_log.SETTLE`).

Files: `claim_record` is the text of one write, `claim_log` the parameter, `account_lock` the lock that a run holds, `claims`
what other runs hold. AWS's side of it is in docs/aws-behaviours.md, section 13.
"""
