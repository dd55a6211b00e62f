"""Settings as JSON in; replicas in Ray out, and how many there are, as it is asked for.

It reads numbers of replicas from standard input, a line each, and answers each with a line.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

from parakeet_streaming.cluster.one_machine import deployed
from parakeet_streaming.server.logs import announce
from parakeet_streaming.server.settings_sources import read_settings

if TYPE_CHECKING:
    from parakeet_streaming.cluster.ray_serve import Deployment

_TRIES: Final = 5


def main() -> None:
    """Runs until its standard input ends."""
    settings = read_settings(json.loads(sys.argv[1]), {}, None)
    with deployed(settings) as (deployment, url):
        print(url, flush=True)
        for line in sys.stdin:
            scale(deployment, int(line))
            print("scaled", flush=True)


def scale(deployment: Deployment, count: int) -> None:
    """So many replicas; Ray gives an update up where one dies while it starts, so once more."""
    for _ in range(_TRIES):
        try:
            deployment.scale(count)
        except RuntimeError as error:
            announce(str(error))
        else:
            return


if __name__ == "__main__":
    main()
