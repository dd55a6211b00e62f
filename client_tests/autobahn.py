"""Nothing in; what the Autobahn test suite says of the server's WebSocket out.

Its cases of compression (12, 13) are left out: the server does not compress.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import Any, Final

from client_tests.catalogue import AUTOBAHN, OUT
from client_tests.comparing import Result
from client_tests.environment import PINS, clean_environment, python_of
from client_tests.serving import served

_AGENT: Final = "parakeet"
_LEFT_OUT: Final = ("12.*", "13.*")
_MOST_BYTES: Final = 17 << 20
"""The largest message of the suite has 16 MiB."""
_KNOWN: Final = ("7.1.5",)
"""Known to differ: a close amid a message's fragments, which the library behind the server answers
with 1002 (the message is not complete), where the suite wants 1000."""
_GOOD: Final = ("OK", "NON-STRICT", "INFORMATIONAL")
_ENDS_WITHIN_S: Final = 1_800.0


def conformance() -> Result:
    """Runs the suite.

    Raises:
        EnvironmentMissingError: it cannot be installed here.
    """
    python = python_of(AUTOBAHN)
    folder = OUT / AUTOBAHN
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    program = (sys.executable, "-m", "client_tests.echo_program")
    with served("autobahn-server.log", "--message-bytes", str(_MOST_BYTES), program=program) as url:
        spec = {
            "outdir": str(folder),
            "servers": [{"agent": _AGENT, "url": f"{url.replace('http', 'ws', 1)}/echo"}],
            "cases": ["*"],
            "exclude-cases": list(_LEFT_OUT),
            "exclude-agent-cases": {},
        }
        path = folder / "spec.json"
        path.write_text(json.dumps(spec), encoding="utf-8")
        subprocess.run(
            [str(python.with_name("wstest")), "-m", "fuzzingclient", "-s", str(path)],
            stdout=sys.stderr,
            env=clean_environment(),
            check=True,
            timeout=_ENDS_WITHIN_S,
        )
    return judged(json.loads((folder / "index.json").read_text(encoding="utf-8"))[_AGENT])


def judged(cases: dict[str, Any]) -> Result:
    """What is wrong in the suite's report of one server."""
    wrong = []
    for name, case in cases.items():
        bad = [each for each in (case["behavior"], case["behaviorClose"]) if each not in _GOOD]
        if bad and name not in _KNOWN:
            wrong.append(f"case {name}: {', '.join(bad)}")
        if not bad and name in _KNOWN:
            wrong.append(f"case {name} is good: it is no longer to be left out")
    pinned = (PINS / f"{AUTOBAHN}.txt").read_text(encoding="utf-8").split("==")
    return Result(
        AUTOBAHN,
        f"{len(cases)} cases",
        wrong=wrong,
        versions={pinned[0]: pinned[1].strip()},
        note=f", but {', '.join(_KNOWN)} (known)",
    )
