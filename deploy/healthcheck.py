"""`PARAKEET_PORT` in; exit code 0 if the server beside it is well, 1 and one line if it is not.

For images that have no curl. It asks this machine only.
"""

import os
import ssl
import sys
import urllib.error
import urllib.request
from typing import Final

_WAITS_S: Final = 4.0


def main() -> int:
    port = os.environ.get("PARAKEET_PORT") or "8000"
    scheme = "https" if os.environ.get("PARAKEET_TLS_CERT") else "http"
    # The certificate is for the server's public name, and nobody is between us and this port.
    unchecked = ssl._create_unverified_context()
    # Not through a proxy that the environment names.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=unchecked)
    )
    url = f"{scheme}://127.0.0.1:{port}/healthz"
    try:
        with opener.open(url, timeout=_WAITS_S):
            return 0
    except (OSError, ValueError) as error:  # urllib's errors are OSErrors
        sys.stderr.write(f"{url}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
