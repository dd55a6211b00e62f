"""Nothing in; how many CPUs Linux's control groups grant to this process, by their quotas, out.

Rules of this file:

1. A quota of any group from the process's own up to the root binds; the smallest counts.
2. Version 2 has one tree, version 1 one for each controller; a machine may have both.
3. Which group the process is in stands in /proc/self/cgroup, where its tree is mounted in
   /proc/self/mountinfo. A container sees the tree from its own group on, or all of it. So a group
   may lie anywhere below the mount, and where it cannot be found, the mount's own quota counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

_MOUNTS: Final = ("fs/cgroup", "fs/cgroup/unified", "fs/cgroup/cpu", "fs/cgroup/cpu,cpuacct")
"""Where trees usually are, below /sys; for systems whose /proc does not say."""


def granted_cpus(system: Path = Path("/sys"), process: Path = Path("/proc/self")) -> float | None:
    """CPUs by the smallest quota; None where there is none.

    Args:
        system: in place of /sys, also in the mounts that `process` lists.
        process: where Linux describes this process.
    """
    folders = {system / mount for mount in _MOUNTS}
    for mount, group in _groups(process):
        root = _below(system, mount)
        folders |= {root / part for part in (group, *group.parents)}
    quotas = (_quota(folder) for folder in folders)
    return min((quota for quota in quotas if quota is not None), default=None)


def _below(system: Path, mount: PurePosixPath) -> Path:
    if mount.is_relative_to("/sys"):
        return system / mount.relative_to("/sys")
    return Path(mount)


def _groups(process: Path) -> Iterator[tuple[PurePosixPath, PurePosixPath]]:
    """Mounts of trees with quotas, each with the process's group in it, relative to the mount."""
    try:
        own = _own_groups((process / "cgroup").read_text(errors="replace"))
        listing = (process / "mountinfo").read_text(errors="replace")
    except OSError:
        return
    for line in listing.splitlines():
        # 36 35 98:0 /root /mount options ... - type source options
        mounted, separator, kind = line.partition(" - ")
        fields, kinds = mounted.split(" "), kind.split(" ")
        if not separator or len(fields) < 5 or len(kinds) < 3:
            continue
        tree = {"cgroup2": "", "cgroup": "cpu"}.get(kinds[0])
        if tree is None or tree not in own or (tree and tree not in kinds[2].split(",")):
            continue
        root, mount = (PurePosixPath(_unescaped(each)) for each in fields[3:5])
        group = own[tree]
        inside = ".." not in group.parts and group.is_relative_to(root)
        yield mount, group.relative_to(root) if inside else PurePosixPath()


def _own_groups(listing: str) -> dict[str, PurePosixPath]:
    """The process's group by controller; that of version 2 under the empty name."""
    groups: dict[str, PurePosixPath] = {}
    for line in listing.splitlines():
        # 4:cpu,cpuacct:/group, or 0::/group of version 2
        _, separator, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if separator and path.startswith("/"):
            groups |= {name: PurePosixPath(path) for name in controllers.split(",")}
    return groups


def _unescaped(path: str) -> str:
    """A path as mountinfo writes it, with octal numbers in place of blanks."""
    for code, letter in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        path = path.replace(code, letter)
    return path


def _quota(folder: Path) -> float | None:
    """CPUs that the group of a folder may use; None where it sets no limit."""
    try:
        if os.path.lexists(folder / "cpu.max"):
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        cpus = int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None  # "max" is no number; version 1 has -1 for no limit
    return cpus if cpus > 0 else None
