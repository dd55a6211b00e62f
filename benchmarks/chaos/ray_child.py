"""Settings as JSON in; replicas in Ray out, and how many there are, as it is asked for.

It reads numbers of replicas from standard input, a line each, and answers each with a line.
"""

from __future__ import annotations

import json
import sys

from parakeet_streaming.cluster.one_machine import deployed
from parakeet_streaming.server.settings_sources import read_settings


def main() -> None:
    """Runs until its standard input ends."""
    settings = read_settings(json.loads(sys.argv[1]), {}, None)
    with deployed(settings) as (deployment, url):
        print(url, flush=True)
        for line in sys.stdin:
            deployment.scale(int(line))
            print("scaled", flush=True)


if __name__ == "__main__":
    main()
