"""A folder with the image that scripts/check-image has built in; exit code 0 if it runs well.

The container is crun's, as that of Docker would be with `--read-only --cap-drop ALL
--security-opt no-new-privileges --tmpfs /tmp --network host`.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

NAME = "parakeet-image"
KEY = "a-key-of-this-check"
RECORDING = Path(__file__).parents[1] / "examples" / "recordings" / "digits.wav"
SPOKEN = "three one four one five nine two six"
USER = 10001
LONG_S = 180
Json = dict[str, Any]


def told(*words: str) -> None:
    print("ok ", *words, flush=True)  # noqa: T201


def buildah(folder: Path, *arguments: str) -> str:
    store = ["--root", str(folder / "storage"), "--runroot", str(folder / "run")]
    return subprocess.run(
        ["buildah", *store, *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def crun(folder: Path, *arguments: str) -> list[str]:
    return ["crun", "--root", str(folder / "crun"), "--cgroup-manager", "disabled", *arguments]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def bundle(folder: Path, root: str, image: Json, environment: list[str], secrets: Path) -> Path:
    """What the image says, as the runtime wants it."""
    user, group = (int(each) for each in image["User"].split(":"))
    cache = folder / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    cache.mkdir(mode=0o700)
    os.chown(cache, user, group)
    mounts = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "mode=755"]},
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
         "options": ["noexec", "nosuid", "nodev", "mode=1777", "size=64m"]},
        {"destination": "/var/cache/parakeet", "type": "bind", "source": str(cache),
         "options": ["bind", "rw", "nosuid", "nodev"]},
    ]  # fmt: skip
    if secrets.exists():
        mounts.append({
            "destination": "/run/secrets/parakeet_api_keys", "type": "bind",
            "source": str(secrets), "options": ["bind", "ro"],
        })  # fmt: skip
    spec = {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": user, "gid": group},
            "args": [*image["Entrypoint"], *(image.get("Cmd") or [])],
            "env": [*image["Env"], *environment],
            "cwd": image["WorkingDir"],
            "capabilities": {},
            "noNewPrivileges": True,
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 65536, "soft": 65536}],
        },
        "root": {"path": root, "readonly": True},
        "mounts": mounts,
        "linux": {"namespaces": [{"type": each} for each in ("pid", "ipc", "mount", "uts")]},
    }
    made = folder / "bundle"
    made.mkdir(exist_ok=True)
    (made / "config.json").write_text(json.dumps(spec), encoding="utf-8")
    return made


def asked(
    port: int, path: str, key: str | None = None, data: bytes | None = None
) -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data)
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=LONG_S) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def inside(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        crun(folder, "exec", NAME, *arguments), capture_output=True, text=True, check=False
    )


def check_refusal(folder: Path, root: str, image: Json) -> None:
    """Without keys it must not start."""
    made = bundle(folder, root, image, [], folder / "no such file")
    done = subprocess.run(
        crun(folder, "run", "--bundle", str(made), NAME),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, (done.returncode, done.stderr)
    told("without keys it ends with 2:", done.stderr.strip().splitlines()[-1][:120])


def check_running(folder: Path, port: int, image: Json, process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        print("   ", line.rstrip(), flush=True)  # noqa: T201
        if line.startswith("ready "):
            break
    else:
        raise SystemExit("it ended before it was ready")
    told("ready")
    state = json.loads(subprocess.check_output(crun(folder, "state", NAME)))
    status = Path(f"/proc/{state['pid']}/status").read_text(encoding="utf-8")
    kept = {
        name: text.split()
        for name, _, text in (each.partition(":") for each in status.splitlines())
    }
    assert kept["Uid"] == [str(USER)] * 4, kept["Uid"]
    assert set(kept["CapEff"][0]) == {"0"}
    assert kept["NoNewPrivs"] == ["1"]
    told("user", kept["Uid"][0], "without capabilities")
    for path in ("/opt/parakeet/x", "/models/x", "/etc/x", "/home/x"):
        tried = inside(folder, "python", "-c", f"open({path!r}, 'w')")
        assert "Read-only file system" in tried.stderr, tried.stderr
    told("its root cannot be written")
    health = inside(folder, *image["Healthcheck"]["Test"][1:])
    assert health.returncode == 0, health.stderr
    told("its health check:", " ".join(image["Healthcheck"]["Test"][1:]))
    assert asked(port, "/readyz")[0] == 200
    assert asked(port, "/v1/listen", data=RECORDING.read_bytes())[0] == 401
    status_code, text = asked(port, "/v1/listen", KEY, RECORDING.read_bytes())
    assert status_code == 200, text
    heard = json.loads(text)["results"]["channels"][0]["alternatives"][0]["transcript"]
    assert heard == SPOKEN, heard
    told("heard:", heard)


def main(folder: Path) -> None:
    image = json.loads(
        buildah(folder, "inspect", "--type", "image", "localhost/parakeet-streaming")
    )
    config = image["Docker"]["config"]
    container = buildah(folder, "from", "--pull-never", "localhost/parakeet-streaming")
    root = buildah(folder, "mount", container)
    secrets = folder / "api_keys"
    secrets.write_text(f"check:{KEY}\n", encoding="utf-8")
    secrets.chmod(0o444)
    port = free_port()
    subprocess.run(crun(folder, "delete", "--force", NAME), capture_output=True, check=False)
    try:
        check_refusal(folder, root, config)
        made = bundle(folder, root, config, [f"PARAKEET_PORT={port}"], secrets)
        process = subprocess.Popen(
            crun(folder, "run", "--bundle", str(made), NAME),
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        try:
            check_running(folder, port, config, process)
            number = getattr(signal, config.get("StopSignal") or "SIGTERM")
            subprocess.run(crun(folder, "kill", NAME, str(int(number))), check=True)
            assert process.wait(LONG_S) == 0, process.returncode
            told("ended with 0 after", number.name)
        finally:
            process.kill()
    finally:
        subprocess.run(crun(folder, "delete", "--force", NAME), capture_output=True, check=False)
        buildah(folder, "rm", container)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
