"""Several servers behind one address, with Ray Serve.

One replica is the application of `server/composition.py` with its engine inside; a socket belongs
to one replica for its life. `app` is for `serve run parakeet_streaming.cluster:app`.

Rules of this folder:

1. Only `ray_serve.py` imports ray; whoever imports it must have prepared the environment.
2. `plan.py`, `ray_environment.py` and `scaling.py` know no clock, thread or socket.
3. It may import `server`; nothing but `cli` may import it.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """`app`, which needs Ray; so that it is not needed for the rest."""
    if name != "app":
        raise AttributeError(f"{__name__} has no {name}")
    from parakeet_streaming.cluster.ray_serve import app

    return app
