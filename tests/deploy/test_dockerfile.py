"""The image: who runs in it, what it is told, and that there are wheels for both architectures."""

import re
import tomllib

import pytest
import yaml

from parakeet_streaming.load import DEFAULT_MODEL
from parakeet_streaming.server.settings import Settings
from tests.deploy.deployed import DEPLOY, DOCKERFILE, ROOT, dockerfile_settings

FINAL = DOCKERFILE.rpartition("\nFROM ")[2]
IMAGES_GLIBC = (2, 36)
"""Of Debian 12."""


def test_it_runs_as_somebody_who_is_not_root():
    user, group = re.search(r"^USER (\d+):(\d+)$", FINAL, re.MULTILINE).groups()
    assert int(user) >= 10_000
    assert int(group) >= 10_000
    assert FINAL.index("USER ") < FINAL.index("ENTRYPOINT ")
    assert f"-o {user} -g {group}" in FINAL


def test_compose_and_the_chart_know_the_same_user():
    user = re.search(r"^USER (\d+)", FINAL, re.MULTILINE)[1]
    ray = yaml.safe_load((DEPLOY / "kuberay" / "rayservice.yaml").read_text(encoding="utf-8"))
    head = ray["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]
    chart = (DEPLOY / "helm/parakeet-streaming/templates/deployment.yaml").read_text()
    assert head["securityContext"]["runAsUser"] == int(user)
    assert f"runAsUser: {user}" in chart


def test_it_serves_and_is_ended_by_the_signal_that_drains():
    assert 'ENTRYPOINT ["parakeet", "serve"]' in FINAL
    assert "STOPSIGNAL SIGTERM" in FINAL


def test_it_listens_on_all_addresses_with_keys_from_a_file():
    told = dockerfile_settings()
    assert told["PARAKEET_HOST"] == "0.0.0.0"
    assert told["PARAKEET_API_KEY_FILE"].startswith("/run/secrets/")
    assert int(told["PARAKEET_PORT"]) == Settings().port
    assert f"EXPOSE {Settings().port}" in FINAL


def test_its_model_is_the_built_in_one():
    assert DOCKERFILE.count(f"ARG MODEL={DEFAULT_MODEL}") == 2


def test_what_it_writes_is_in_the_volume():
    told = dockerfile_settings()
    assert 'VOLUME ["/var/cache/parakeet"]' in FINAL
    for name in ("HF_HOME", "XDG_CACHE_HOME"):
        assert told[name].startswith("/var/cache/parakeet")


def test_nothing_in_it_is_of_one_architecture():
    assert not re.search(r"amd64|x86_64|arm64|aarch64", DOCKERFILE.partition("\n\n")[2])


def test_what_is_copied_is_let_through():
    """`.dockerignore` lets nothing in but what it names."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        name.rstrip("/")
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for name in line.split()[:-1]
    }
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)


def locked():
    with (ROOT / "uv.lock").open("rb") as file:
        return tomllib.load(file)["package"]


def of_the_image(packages):
    """Every package that the server needs on Python 3.11 on Linux."""
    by_name = {}
    for each in packages:
        markers = " ".join(each.get("resolution-markers", ["python_full_version < '3.12'"]))
        if "python_full_version < '3.12'" in markers:
            by_name[each["name"]] = each
    ours = by_name["parakeet-streaming"]
    waiting = [*ours["dependencies"], *ours["optional-dependencies"]["server"]]
    found = {}
    while waiting:
        each = waiting.pop()
        elsewhere = re.search(r"sys_platform == 'win32'|>= '3\.1[2-9]'", each.get("marker", ""))
        if elsewhere or each["name"] in found:
            continue
        package = found[each["name"]] = by_name[each["name"]]
        extras = package.get("optional-dependencies", {})
        waiting += package.get("dependencies", [])
        waiting += [more for extra in each.get("extra", []) for more in extras.get(extra, [])]
    return found


def runs(python, binary):
    """Whether a wheel with these tags is for Python 3.11."""
    found = re.fullmatch(r"cp3(\d+)", python)
    if found is None:
        return python == "py3"
    return int(found[1]) == 11 if "abi3" not in binary else int(found[1]) <= 11


def fits(url, machine):
    pythons, binary, platforms = url.rpartition("/")[2].removesuffix(".whl").split("-")[-3:]
    if not any(runs(python, binary) for python in pythons.split(".")):
        return False
    for platform in platforms.split("."):
        if platform == "any":
            return True
        glibc = re.fullmatch(rf"manylinux_(\d+)_(\d+)_{machine}", platform)
        if glibc and tuple(map(int, glibc.groups())) <= IMAGES_GLIBC:
            return True
        if re.fullmatch(rf"manylinux(1|2010|2014)_{machine}", platform):
            return True
    return False


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_library_has_a_wheel_for(machine):
    """So that nothing is compiled, which would need a compiler in the image."""
    packages = of_the_image(locked())
    assert {"onnxruntime", "uvicorn", "pydantic-core", "av"} <= set(packages)
    missing = [
        name
        for name, package in packages.items()
        if not any(fits(wheel["url"], machine) for wheel in package.get("wheels", []))
    ]
    assert missing == []


def test_the_lock_file_knows_every_extra():
    """The image is made from it, and not made where it is too old."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    (ours,) = (each for each in locked() if each["name"] == project["name"])
    assert sorted(ours["metadata"]["provides-extras"]) == sorted(project["optional-dependencies"])
    names = {
        re.match(r"[\w.-]+", each)[0].lower().replace("_", "-") for each in requirements(project)
    }
    assert {each["name"] for each in ours["metadata"]["requires-dist"]} == names


def requirements(project):
    extras = project["optional-dependencies"].values()
    return [*project["dependencies"], *(each for extra in extras for each in extra)]
