"""The built-in year of profiles, and the mean of a profile over the slots of a scenario.

Every profile runs on local standard time without daylight saving: each day has 24 hours, and the
quarter hour that starts at 12:00 bears the label 12:00. ``runs/data/README.md`` describes the
built-in profiles, where they come from and their licence.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from difflib import get_close_matches
from functools import cache
from importlib.resources import as_file, files
from math import gcd

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

TIME_COLUMN = "time"
SECOND = np.timedelta64(1, "s")


@cache
def profile_names() -> tuple[str, ...]:
    """Names of the built-in profiles, such as ``"G0-A"`` or ``"PV3"``, as SimBench has them."""
    with _built_in_file() as file:
        return tuple(name for name in file.schema_arrow.names if name != TIME_COLUMN)


def built_in_profile(name: str) -> "pd.Series[float]":
    """One built-in profile over the year 2016, in quarter hours.

    Parameters
    ----------
    name : str
        One of :func:`profile_names`.

    Returns
    -------
    pandas.Series
        35,136 values between 0 and 1, per unit of the peak (loads) or of the rating (charging
        points, PV, wind). The index holds the starts of the quarter hours, Central European
        standard time (UTC+1) all year, without a time zone. The caller owns it: changing it
        changes nothing for the next one.

    Raises
    ------
    ValueError
        If there is no such profile; the message offers close ones.
    """
    if name not in profile_names():
        raise ValueError(
            f"there is no built-in profile {name!r};{did_you_mean(name, profile_names())} the "
            f"built-in profiles are {', '.join(profile_names())}"
        )
    return _column(name).copy()


def resample(
    series: "pd.Series[float]", start: datetime, slots: int, slot_minutes: int
) -> NDArray[np.float64]:
    """Mean of a profile over each slot.

    A profile is a step function of time, p(t) = p_k for t_k <= t < t_k + h. Slot s of length d
    gets (1/d) times the integral of p over [start + s d, start + (s + 1) d): the energy is kept,
    and a slot shorter than the profile's own step repeats its value.

    Parameters
    ----------
    series : pandas.Series
        Values at the starts t_k of evenly spaced steps h, on an index without a time zone.
    start : datetime.datetime
        Start of the first slot, a whole minute, in the same local standard time.
    slots : int
        Number of slots, at least 1.
    slot_minutes : int
        Length of a slot in minutes, at least 1.

    Returns
    -------
    numpy.ndarray
        Shape (slots,), in the unit of ``series``.

    Raises
    ------
    ValueError
        If the slots reach beyond the profile, a value in them is not finite, the profile is not
        evenly spaced, or an argument is out of its bounds; the message names the profile.
    """
    profile = f"profile {series.name!r}"
    if slots < 1 or slot_minutes < 1:
        raise ValueError(
            f"{profile}: {slots} slots of {slot_minutes} minutes were asked for; "
            "both numbers must be at least 1"
        )
    if start.tzinfo is not None or start.second or start.microsecond:
        raise ValueError(
            f"{profile}: the start {start.isoformat()} must be a whole minute of local standard "
            "time, without a time zone"
        )
    first, step = _first_and_step(series, profile)
    slot = 60 * slot_minutes
    begin = int((np.datetime64(start, "s") - first) / SECOND)
    end = begin + slots * slot
    if begin < 0 or end > len(series) * step:
        wanted = f"{start:%Y-%m-%d %H:%M} to {pd.Timestamp(first + end * SECOND):%Y-%m-%d %H:%M}"
        last = pd.Timestamp(first + len(series) * step * SECOND)
        raise ValueError(
            f"{profile}: the scenario wants {wanted} ({slots} slots of {slot_minutes} minutes), "
            f"the profile covers {pd.Timestamp(first):%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"
        )
    low, high = begin // step, -(-end // step)
    values = series.to_numpy(dtype=np.float64)[low:high]
    if not np.isfinite(values).all():
        at = low + int(np.argmin(np.isfinite(values)))
        raise ValueError(f"{profile}: the value at {series.index[at]} is not a finite number")
    # Cut source and slots into the longest grain that both are made of: no rounding in between.
    grain = gcd(step, slot, begin)
    skipped = (begin - low * step) // grain
    grains = np.repeat(values, step // grain)[skipped : skipped + slots * slot // grain]
    return np.asarray(grains.reshape(slots, -1).mean(axis=1))


def did_you_mean(name: str, known: tuple[str, ...]) -> str:
    """`` did you mean 'A', 'B'?`` for the known names close to this one, or nothing."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = [by_lower[match] for match in get_close_matches(name.lower(), by_lower, cutoff=0.5)]
    return f" did you mean {', '.join(map(repr, close))}?" if close else ""


def _first_and_step(series: "pd.Series[float]", profile: str) -> tuple[np.datetime64, int]:
    """Start of the first step and length of a step in seconds."""
    index = series.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is not None or len(index) < 2:
        raise ValueError(
            f"{profile}: a profile needs at least two values, on an index of time stamps without "
            "a time zone"
        )
    times = index.to_numpy()
    steps = np.diff(times)
    if steps[0] < SECOND or steps[0] % SECOND or (steps != steps[0]).any():
        raise ValueError(f"{profile}: its time stamps are not evenly spaced by whole seconds")
    return times[0].astype("datetime64[s]"), int(steps[0] / SECOND)


@contextmanager
def _built_in_file() -> Iterator[pq.ParquetFile]:
    with (
        as_file(files("nashgrid.runs.data") / "simbench_2016.parquet") as path,
        pq.ParquetFile(path) as file,
    ):
        yield file


@cache
def _column(name: str) -> "pd.Series[float]":
    with _built_in_file() as file:
        values = file.read(columns=[name], use_threads=False).column(name).to_numpy()
    return pd.Series(values.astype(np.float64), index=_quarter_hours(), name=name)


@cache
def _quarter_hours() -> pd.DatetimeIndex:
    with _built_in_file() as file:
        times = file.read(columns=[TIME_COLUMN], use_threads=False).column(TIME_COLUMN)
    return pd.DatetimeIndex(times.to_numpy().astype("datetime64[s]"), name=TIME_COLUMN)
