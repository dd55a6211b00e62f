"""A connection of aioice in; the same, at our addresses, which ends when its caller is gone, out.

aioice asks a caller every 5 s whether it is still there, and takes it for gone after six questions
without an answer, whatever a server is set to. What is asked here is the same (RFC 7675).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

MOST_UNHEARD_S: Final = 30.0
"""After which nothing may be sent to a caller any more, as RFC 7675 has it."""
_ASKED_EVERY_S: Final = 5.0
_QUESTIONS: Final = 6
"""That may be lost, at least, before a caller is taken for gone."""


def come_to(ice: Any, addresses: Sequence[str]) -> None:  # noqa: ANN401 - not imported here
    """Lets a call come to these addresses and no others; aioice itself leaves out loopback.

    Args:
        ice: an `aioice.Connection` that has not gathered its candidates.
        addresses: of this machine.
    """
    gather = ice.get_component_candidates

    async def gather_ours(component: int, **_: object) -> Any:  # noqa: ANN401
        return await gather(component=component, addresses=list(addresses))

    ice.get_component_candidates = gather_ours


def end_when_unheard(ice: Any, unheard_s: float) -> None:  # noqa: ANN401
    """Ends a connection whose other side has answered nothing for so long.

    Args:
        ice: an `aioice.Connection` that is not connected.
        unheard_s: seconds; `MOST_UNHEARD_S` counts where it is less.
    """
    unheard_s = min(unheard_s, MOST_UNHEARD_S)
    every_s = min(_ASKED_EVERY_S, unheard_s / _QUESTIONS)

    async def ask() -> None:
        clock = asyncio.get_running_loop().time
        heard_s = clock()
        while clock() - heard_s < unheard_s - every_s:
            await asyncio.sleep(every_s * (0.8 + 0.4 * random.random()))
            for pair in list(ice._nominated.values()):
                asked_s = clock()
                with suppress(Exception):  # no answer, or none that counts
                    await _answer_of(ice, pair)
                    heard_s = asked_s
        # It is not to wait for this task.
        ice._query_consent_task = None
        await ice.close()

    ice.query_consent = ask


async def _answer_of(ice: Any, pair: Any) -> None:  # noqa: ANN401
    await pair.protocol.request(
        ice.build_request(pair, nominate=False),
        pair.remote_addr,
        integrity_key=ice.remote_password.encode(),
        retransmissions=0,
    )
