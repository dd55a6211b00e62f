"""Quotas of both versions, wherever the process's group is in the tree."""

import pytest

from parakeet_streaming.runtime.control_groups import granted_cpus

V2 = "30 29 0:26 {root} {mount} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
V1 = "32 31 0:29 {root} {mount} rw,relatime shared:9 - cgroup cgroup rw,{controllers}"


class Machine:
    """/sys and /proc/self, as files of a test."""

    def __init__(self, folder):
        self.system, self.process = folder / "sys", folder / "proc"
        self.process.mkdir(parents=True)

    def in_group(self, *groups):
        (self.process / "cgroup").write_text("".join(f"{group}\n" for group in groups))

    def mounts(self, *lines):
        other = "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\nodd line\n"
        (self.process / "mountinfo").write_text(other + "".join(f"{line}\n" for line in lines))

    def v2(self, group, quota):
        folder = self.system / "fs/cgroup" / group
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.max").write_text(f"{quota}\n")

    def v1(self, tree, group, quota, period=100_000):
        folder = self.system / "fs/cgroup" / tree / group
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.cfs_quota_us").write_text(f"{quota}\n")
        (folder / "cpu.cfs_period_us").write_text(f"{period}\n")

    @property
    def granted(self):
        return granted_cpus(self.system, self.process)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def v2(root="/", mount="/sys/fs/cgroup"):
    return V2.format(root=root, mount=mount)


def v1(controllers="cpu,cpuacct", root="/", mount="/sys/fs/cgroup/cpu,cpuacct"):
    return V1.format(root=root, mount=mount, controllers=controllers)


def test_without_groups_there_is_no_quota(machine):
    assert machine.granted is None


def test_a_quota_at_the_root_of_the_mount(machine):
    """As in a container with a name space of its own; also where /proc says nothing."""
    machine.v2("", "150000 100000")
    assert machine.granted == 1.5
    machine.in_group("0::/")
    machine.mounts(v2())
    assert machine.granted == 1.5


@pytest.mark.parametrize("holder", ["system.slice/parakeet.service", "system.slice"])
def test_a_quota_of_systemd_s(machine, holder):
    """CPUQuota= of a service, or of a slice above it."""
    machine.in_group("0::/system.slice/parakeet.service")
    machine.mounts(v2())
    machine.v2("system.slice/parakeet.service", "max 100000")
    machine.v2(holder, "50000 100000")
    machine.v2("other.slice", "1000 100000")
    assert machine.granted == 0.5


def test_the_smallest_of_all_groups_counts(machine):
    machine.in_group("0::/a/b")
    machine.mounts(v2())
    machine.v2("a", "100000 100000")
    machine.v2("a/b", "400000 100000")
    assert machine.granted == 1.0


@pytest.mark.parametrize("tree", ["cpu", "cpu,cpuacct", "cpuacct,cpu"])
def test_version_1(machine, tree):
    machine.in_group("5:memory:/m", f"4:{tree}:/docker/abc", "1:name=systemd:/")
    machine.mounts(v1(tree, mount=f"/sys/fs/cgroup/{tree}"))
    machine.v1(tree, "docker/abc", 50_000)
    assert machine.granted == 0.5


def test_version_1_in_a_container_without_its_own_name_space(machine):
    """The container sees its own group at the mount, by the host's name."""
    machine.in_group("4:cpu,cpuacct:/docker/abc")
    machine.mounts(v1(root="/docker/abc"))
    machine.v1("cpu,cpuacct", "", 300_000)
    assert machine.granted == 3.0


def test_version_1_without_a_quota(machine):
    machine.in_group("4:cpu,cpuacct:/")
    machine.mounts(v1())
    machine.v1("cpu,cpuacct", "", -1)
    assert machine.granted is None


def test_both_versions_at_once(machine):
    machine.in_group("4:cpu,cpuacct:/a", "0::/b")
    machine.mounts(v1(), v2(mount="/sys/fs/cgroup/unified"))
    machine.v1("cpu,cpuacct", "a", 200_000)
    machine.v2("unified/b", "max 100000")
    assert machine.granted == 2.0


def test_a_group_that_lies_outside_of_what_is_mounted(machine):
    machine.in_group("0::/../../elsewhere")
    machine.mounts(v2())
    machine.v2("", "70000 100000")
    assert machine.granted == 0.7


def test_a_mount_elsewhere_with_a_blank_in_its_name(machine, tmp_path):
    machine.in_group("0::/a")
    mount = tmp_path / "my groups"
    (mount / "a").mkdir(parents=True)
    (mount / "a/cpu.max").write_text("20000 10000\n")
    machine.mounts(v2(mount=str(mount).replace(" ", "\\040")))
    assert machine.granted == 2.0


@pytest.mark.parametrize("quota", ["odd", "1 0", "-5 100000", "", "0 100000", "1 2 3"])
def test_what_is_no_quota_is_none(machine, quota):
    machine.v2("", quota)
    assert machine.granted is None


def test_on_this_machine():
    found = granted_cpus()
    assert found is None or found > 0
