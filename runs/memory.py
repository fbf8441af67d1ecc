"""How much memory a run may take."""

import os
from pathlib import Path

_MEMORY_INFO = Path("/proc/meminfo")
_GROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def available_bytes() -> int | None:
    """Memory that can be used now; where the system does not say, all there is, or None.

    On Linux what the kernel calls available (caches that it would give up count), but no more than
    the limit of the container.
    """
    try:
        fields = dict(line.split(":", 1) for line in _MEMORY_INFO.read_text().splitlines())
        available = int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):
        names = getattr(os, "sysconf_names", {})
        if "SC_PHYS_PAGES" not in names:
            return None
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = _GROUP_LIMIT.read_text().strip()
    except OSError:
        return available
    return min(available, int(limit)) if limit.isdigit() else available
