"""What looking up the user of each connection's peer costs: requests with the check and without it, in turn, on one cloud.

Run: python benchmarks/peer_check.py [ROUNDS, default 60]
Each round sends 150 calls of ListTables, once on one connection and once on a connection of its own for each.
"""

from __future__ import annotations

import http.client
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from workshop.cloud import daemon

REQUESTS = 150
HEADERS = {
    "X-Amz-Target": "DynamoDB_20120810.ListTables",
    "Content-Type": "application/x-amz-json-1.0",
    "Authorization": "AWS4-HMAC-SHA256 Credential=000000000000/20261121/us-west-2/dynamodb/aws4_request, Signature=0",
}


def seconds(port: int, *, fresh: bool) -> float:
    """The time of all requests of one round, on one connection or on a fresh one for each."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    began = time.perf_counter()
    for _ in range(REQUESTS):
        connection.request("POST", "/", "{}", HEADERS)
        assert connection.getresponse().read()
        if fresh:
            connection.close()
    connection.close()
    return time.perf_counter() - began


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        state = daemon.start(home, timing="instant")
        port = state.port or 0
        try:
            for fresh in (False, True):
                ratios = []
                for number in range(rounds + 1):
                    pair = {}
                    for others in (True, False) if number % 2 else (False, True):
                        daemon.start(home, other_users=others)
                        pair[others] = seconds(port, fresh=fresh)
                    if number:
                        ratios.append(pair[False] / pair[True])
                low, middle, high = (round(cut, 4) for cut in statistics.quantiles(ratios, n=4))
                print(json.dumps({"connection per request": fresh, "with over without": middle, "quartiles": [low, high]}))
        finally:
            daemon.stop(home)


if __name__ == "__main__":
    main()
