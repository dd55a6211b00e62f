"""A folder with the image that scripts/check-image has built in; exit code 0 if it runs well.

The container is made of Linux namespaces, as Docker would make it with `--read-only --cap-drop ALL
--security-opt no-new-privileges --tmpfs /tmp --network host`, but for seccomp and control groups.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEY = "a-key-of-this-check"
RECORDING = Path(__file__).parents[1] / "examples" / "recordings" / "digits.wav"
SPOKEN = "three one four one five nine two six"
DEVICES = ("null", "zero", "random", "urandom")
LONG_S = 180
Json = dict[str, Any]


def told(*words: str) -> None:
    print("ok ", *words, flush=True)  # noqa: T201


def buildah(folder: Path, *arguments: str) -> str:
    store = ["--root", str(folder / "storage"), "--runroot", str(folder / "run")]
    return subprocess.run(
        ["buildah", *store, *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass(frozen=True)
class Container:
    """What the image says, and where its files lie."""

    folder: Path
    root: Path
    image: Json

    def command(self, environment: list[str], *arguments: str) -> list[str]:
        """A program in it, as its user, with nothing that root may do."""
        user, group = self.image["User"].split(":")
        told = [*self.image["Env"], *environment, "HOME=/var/cache/parakeet"]
        alone = ["--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
        return [
            "/usr/bin/env", "-i", f"--chdir={self.image['WorkingDir']}", *told,
            "/usr/bin/setpriv", f"--reuid={user}", f"--regid={group}", *alone, *arguments,
        ]  # fmt: skip

    def started(self, environment: list[str], secrets: Path | None) -> subprocess.Popen[str]:
        """The server as process 1 of its own tree."""
        user, group = (int(each) for each in self.image["User"].split(":"))
        cache = self.folder / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        cache.mkdir(mode=0o700)
        os.chown(cache, user, group)
        inside = self.root / "run/secrets/parakeet_api_keys"
        inside.parent.mkdir(parents=True, exist_ok=True)
        if secrets is None:
            inside.unlink(missing_ok=True)
        else:
            inside.touch()
        steps = [
            "mount --make-rprivate /",
            'mount --bind "$root" "$root"',
            'mount -o remount,bind,ro,nosuid "$root"',
            'mount -t proc proc "$root/proc"',
            'mount -t tmpfs -o mode=1777,size=64m,noexec,nosuid,nodev tmpfs "$root/tmp"',
            'mount --bind "$cache" "$root/var/cache/parakeet"',
            *(f'mount --bind /dev/{name} "$root/dev/{name}"' for name in DEVICES),
        ]
        if secrets is not None:
            steps.append('mount --bind "$secrets" "$root/run/secrets/parakeet_api_keys"')
        for name in DEVICES:
            (self.root / "dev" / name).touch()
        script = " && ".join([*steps, 'exec chroot "$root" "$@"'])
        server = [*self.image["Entrypoint"], *(self.image.get("Cmd") or [])]
        paths = {"root": self.root, "cache": cache, "secrets": secrets or ""}
        return subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, "sh",
             *self.command(environment, *server)],
            env={"PATH": os.environ["PATH"], **{name: str(path) for name, path in paths.items()}},
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(
        self, beside: int, environment: list[str], *arguments: str
    ) -> subprocess.CompletedProcess[str]:
        """Another program in the container of that process."""
        enter = ["nsenter", "--target", str(beside), "--mount", "--pid", "--root"]
        return subprocess.run(
            [*enter, *self.command(environment, *arguments)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip


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


def check_refusal(container: Container) -> None:
    """Without keys it must not start."""
    process = container.started([], None)
    _, said = process.communicate(timeout=LONG_S)
    assert process.returncode == 2, (process.returncode, said)
    told("without keys it ends with 2:", said.strip().splitlines()[-1])


def check_running(container: Container, port: int, process: subprocess.Popen[str]) -> int:
    """The server's process."""
    assert process.stderr is not None
    for line in process.stderr:
        print("   ", line.rstrip(), flush=True)  # noqa: T201
        if line.startswith("ready "):
            break
    else:
        raise SystemExit("it ended before it was ready")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
    (server,) = (int(each) for each in children.split())
    check_rights(container, server)
    environment = [f"PARAKEET_PORT={port}"]
    check = container.image["Healthcheck"]["Test"][1:]
    health = container.run(server, environment, *check)
    assert health.returncode == 0, health.stderr
    told("its health check:", *check)
    assert container.run(server, ["PARAKEET_PORT=1"], *check).returncode == 1
    assert asked(port, "/readyz")[0] == 200
    assert asked(port, "/v1/listen", data=RECORDING.read_bytes())[0] == 401
    status, text = asked(port, "/v1/listen", KEY, RECORDING.read_bytes())
    assert status == 200, text
    heard = json.loads(text)["results"]["channels"][0]["alternatives"][0]["transcript"]
    assert heard == SPOKEN, heard
    told("heard:", heard)
    return server


def check_rights(container: Container, server: int) -> None:
    """It is nobody, and can write nothing but what it should."""
    status = Path(f"/proc/{server}/status").read_text(encoding="utf-8").splitlines()
    kept = {name: text.split() for name, _, text in (each.partition(":") for each in status)}
    user, group = container.image["User"].split(":")
    assert (set(kept["Uid"]), set(kept["Gid"])) == ({user}, {group})
    assert set(kept["CapEff"][0] + kept["CapBnd"][0]) == {"0"}
    assert kept["NoNewPrivs"] == ["1"]
    assert kept["NSpid"][-1] == "1"
    told("process 1 of user", user, "without capabilities")
    for path in ("/opt/parakeet/x", "/models/x", "/etc/x", "/x"):
        tried = container.run(server, [], "python", "-c", f"open({path!r}, 'w')")
        assert "Read-only file system" in tried.stderr, tried.stderr
    told("its root cannot be written")


def main(folder: Path) -> None:
    name = "localhost/parakeet-streaming"
    image = json.loads(buildah(folder, "inspect", "--type", "image", name))["Docker"]["config"]
    made = buildah(folder, "from", "--pull-never", name)
    container = Container(folder, Path(buildah(folder, "mount", made)), image)
    secrets = folder / "api_keys"
    secrets.write_text(f"check:{KEY}\n", encoding="utf-8")
    secrets.chmod(0o444)
    port = free_port()
    try:
        check_refusal(container)
        process = container.started([f"PARAKEET_PORT={port}"], secrets)
        try:
            server = check_running(container, port, process)
            number = getattr(signal, image.get("StopSignal") or "SIGTERM")
            os.kill(server, number)
            assert process.wait(LONG_S) == 0, process.returncode
            told("ended with 0 after", number.name)
        finally:
            process.kill()
            process.wait()
    finally:
        buildah(folder, "rm", made)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
