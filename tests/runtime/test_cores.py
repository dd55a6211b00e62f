import os

import numpy as np
import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.load import load
from parakeet_streaming.runtime import cores
from tests.catalog.graphs import GOLDEN


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


@pytest.mark.parametrize(("quota", "expected"), [(50_000, 1), (250_000, 3)])
def test_a_quota_of_version_1_counts(system, tmp_path, quota, expected):
    group = system / "fs/cgroup/cpu/docker/abc"
    group.mkdir(parents=True)
    (group / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (group / "cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / "cgroup").write_text("3:cpu:/docker/abc\n")
    mount = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu"
    (tmp_path / "mountinfo").write_text(f"{mount}\n")
    assert cores.usable_cores(system, tmp_path) == expected


@pytest.mark.parametrize("threads", [None, 1, 16, np.int64(4)])
def test_threads_that_help(threads):
    cores.check_threads(threads)


@pytest.mark.parametrize("threads", [0, -1, True, 1.5, "4", float("nan")])
def test_threads_that_are_no_number(threads):
    with pytest.raises(OptionError, match="whole number"):
        cores.check_threads(threads)


def test_more_threads_than_a_machine_has_any_use_for(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 40)
    cores.check_threads(80)
    with pytest.raises(OptionError, match="give 80 at most, or leave threads out"):
        cores.check_threads(81)
    with pytest.raises(OptionError, match="100000 threads would only wait"):
        load(GOLDEN, threads=100_000)


def test_without_topology_every_logical_cpu_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert cores.usable_cores(tmp_path) == 3


def test_without_affinity_all_cpus_count(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert cores.usable_cores(tmp_path) == 6


def test_on_this_machine():
    assert 1 <= cores.usable_cores() <= (os.cpu_count() or 1)
