"""The pipeline of a workshop: from a definition to what is deployed, and from there to nothing left. Read this first.

Every command runs some of these stages, in this order. Each takes the values of those before it and changes none of them:

    definition ─ Workspace ─ Plan ─┬─ observe ──────────────────────── NodeState    (status, every --plan)
                                   ├─ check files ─ set_up ─────────── NodeResult   (setup, step run)
                                   └─ discover ─ tear_down ─ sweep ─── Receipt      (teardown)

workspace.py. In: a definition, its resolved parameters and regions, a target, one client for each account. Out: a
`Workspace`, and `Contexts`, which fill in the settings of one node from what is known so far. Everything that a stage needs
is in these two, so that tests build them by hand. Price: memory only, but templates are rendered again for each context,
because the outputs that they read appear while the run goes on.

plan.py. In: the definition and the regions of each account. Out: a `Plan`, nodes (one step in one account and region) and
what each of them needs. It is pure and complete before the first call: what is shown before a change is what is run, and
removal is the same graph reversed. Price: none worth naming, and no plan can depend on what an account holds.

observe.py. In: a plan. Out: a `NodeState` for each node: absent, partial, ready, broken or foreign. It is read from AWS,
never from the journal, which may be lost or may describe what another machine has changed. Price: one to a few reads for each
node, on every run, also where nothing has changed.

execute.py. In: a plan and a function that does one node's work. Out: one `NodeResult` for each node, in plan order. A node
starts when the last of its needs is done; a failure cancels what depends on it and nothing else, so that one run reports
every failure that it can. Credentials that expire end the nodes of their account; `StopSignal` ends all. Price: several nodes
are under way at the same time, so every step has to be safe to end between any two calls. tests/torture ends them there.

setup.py. In: a plan whose files were read. Out: results. A node is observed; ready is left alone, foreign is refused, the
rest is created or completed. The journal holds the intent before the change and the result after it: a run that was killed
leaves an intent without a result, and the next run completes that node. Price: two writes to disk for each changed node (one
for an unchanged one), and reads that confirm what a lost answer left open. The minutes of a setup are those of AWS
(docs/aws-behaviours.md, section 1.3), on the longest chain of the plan, not in the sum.

discover.py. In: regions. Out: the workspace with the regions where its tags were found, for a lost journal, and for replicas
that another hand made. Price: reads for each step in each of these regions; with --sweep in every region of the account.

teardown.py. In: a plan. Out: results, and what is left in each account. Nodes go in reverse order; only what carries our
tags, or what the journal notes as made by us, is touched. Then two sweeps: the first finds what came back (a late call of a
function makes its log group again; docs/aws-behaviours.md, section 9), the second decides. What cannot be read counts as
left. Price: every region is read twice more, and a removal waits for AWS to finish.

receipt.py and inventory.py. In: what was found, results, what is left. Out: a `Receipt`: what was made, by whom, when it was
seen to be gone, what is left and what that costs. The inventory is written before each removal. Price: one more read for each
node.

journal.py (with undos.py and scope.py). In: intents, results, installations, faults in force. Out: the same to later
commands. It is a record for convenience, never a proof: without it everything is found again by tags, at the price of a
search. SQLite, because several commands read while one writes and any of them may be killed; each method is one transaction,
flushed to disk.

lock.py, grants.py, brings.py. One change of a workshop at a time on this machine; what a foreign definition brings, and that
running it was confirmed. events.py and results.py are the values that the stages emit and return. Nothing in this package
prints.
"""
