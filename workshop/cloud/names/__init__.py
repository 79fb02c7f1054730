"""Names in the local cloud: Route 53 with everything that makes a name fail over.

In: hosted zones, records and health checks, as MiniStack's Route 53 stores them. Out: the choice of a record for each asker, the
health that decides about it, and DNS over the network. The clock of all of it is `names.clock`.
"""

__all__: list[str] = []
