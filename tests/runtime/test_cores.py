import os

import pytest

from parakeet_streaming.runtime import cores


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Makes a machine of eight logical CPUs, two to a core."""
    for cpu in range(8):
        topology = tmp_path / f"devices/system/cpu/cpu{cpu}/topology"
        topology.mkdir(parents=True)
        (topology / "thread_siblings_list").write_text(f"{cpu % 4},{cpu % 4 + 4}\n")
    (tmp_path / "fs/cgroup").mkdir(parents=True)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    return tmp_path


def test_threads_of_one_core_count_once(system):
    assert cores.usable_cores(system) == 4


def test_affinity_counts(system, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 4}, raising=False)
    assert cores.usable_cores(system) == 2


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000", 4),
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("50000 100000", 1),
        ("900000 100000", 4),
        ("odd", 4),
    ],
)
def test_a_container_quota_counts(system, quota, expected):
    (system / "fs/cgroup/cpu.max").write_text(quota + "\n")
    assert cores.usable_cores(system) == expected


def test_without_topology_every_logical_cpu_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert cores.usable_cores(tmp_path) == 3


def test_without_affinity_all_cpus_count(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert cores.usable_cores(tmp_path) == 6


def test_on_this_machine():
    assert 1 <= cores.usable_cores() <= (os.cpu_count() or 1)
