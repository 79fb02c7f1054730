"""Names in the local cloud: Route 53 with everything that makes a name fail over. `parts` puts it together."""
