"""The time stamps of a user's profile file: read, checked, brought to local standard time.

Local standard time knows no daylight saving: every day has 24 hours, so that a day-long scenario
and a profile never meet a missing or a double hour.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

ISO_STAMP = r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s*(?P<offset>Z|[+-]\d\d:?\d\d)?)?"
SECOND = 1_000_000  # in microseconds, the unit of every time in this module
HOUR = 3600 * SECOND


def local_standard_times(stamps: pa.ChunkedArray, time_zone: str | None) -> pd.DatetimeIndex:
    """The starts of evenly spaced steps, in local standard time and without a time zone.

    Parameters
    ----------
    stamps : pyarrow.ChunkedArray
        At least two time stamps: text in ISO 8601, or Arrow time stamps.
    time_zone : str or None
        The scenario's time zone; needed where the stamps carry a UTC offset.

    Returns
    -------
    pandas.DatetimeIndex
        Named ``time``.

    Raises
    ------
    ValueError
        If a stamp is missing, unreadable, repeated, out of order or not one step after the one
        before, if only some carry a UTC offset, or if they do and ``time_zone`` is missing or
        unknown. The message names the row, counted from 1, and the stamp.
    """
    times, aware = _read(stamps)
    _check_even(times, aware, stamps)
    if aware:
        times = times + _standard_offset(times[0], time_zone)
    return pd.DatetimeIndex(times.astype("datetime64[us]"), name="time")


def _read(stamps: pa.ChunkedArray) -> tuple[NDArray[np.int64], bool]:
    """Microseconds since 1970, in UTC where the stamps carry an offset, and whether they do."""
    if pa.types.is_timestamp(stamps.type):
        aware = np.full(len(stamps), stamps.type.tz is not None)
        parsed = pd.to_datetime(stamps.to_pandas(), utc=True).dt.tz_convert(None)
    elif pa.types.is_string(stamps.type) or pa.types.is_large_string(stamps.type):
        text = pd.Series(stamps.to_pylist(), dtype=object).fillna("").str.strip()
        aware = text.str.extract(f"^{ISO_STAMP}$")["offset"].notna().to_numpy()
        readable = text.where(text.str.fullmatch(ISO_STAMP))
        parsed = pd.to_datetime(readable, format="ISO8601", errors="coerce", utc=True)
        parsed = parsed.dt.tz_convert(None)
    else:
        raise ValueError(f"its column 'time' holds {stamps.type}, not time stamps")
    if parsed.isna().any():
        raise ValueError(
            f"{place(int(np.argmax(parsed.isna())), stamps)}: the time is missing or unreadable; "
            "write it like 2016-07-13 04:15"
        )
    if (aware != aware[0]).any():
        raise ValueError(
            f"{place(int(np.argmax(aware != aware[0])), stamps)} has "
            f"{'no' if aware[0] else 'a'} UTC offset, unlike the rows before it; give all time "
            "stamps one, or none"
        )
    return parsed.to_numpy().astype("datetime64[us]").astype(np.int64), bool(aware[0])


def _check_even(times: NDArray[np.int64], aware: bool, stamps: pa.ChunkedArray) -> None:
    """Every stamp must come one step, of whole seconds, after the one before."""
    steps = np.diff(times)
    forward = np.sort(steps[steps > 0])
    step = int(forward[(forward.size - 1) // 2]) if forward.size else SECOND
    if step % SECOND:
        raise ValueError(
            f"its time step of {step / SECOND:g} seconds is not a whole number of them"
        )
    if (steps == step).all():
        return
    row = 1 + int(np.argmax(steps != step))
    found = int(steps[row - 1])
    if found == 0:
        what = "repeats the time of the row before (a duplicate)"
    elif found < 0:
        what = "is earlier than the row before; the rows must be in order of time"
    elif found > step:
        what = f"comes {_minutes(found)} after the row before, the step is {_minutes(step)} (a gap)"
    else:
        what = f"comes only {_minutes(found)} after the row before, the step is {_minutes(step)}"
    hint = ""
    if not aware and abs(found - step) == HOUR:
        hint = (
            "; if this is a change to or from daylight saving time, write the times in standard "
            "time all year, or with their UTC offset (2016-07-13 04:15+02:00)"
        )
    raise ValueError(f"{place(row, stamps)} {what}{hint}")


def _standard_offset(first: int, time_zone: str | None) -> int:
    """Microseconds from UTC to the zone's standard time, at the first stamp."""
    if time_zone is None:
        raise ValueError(
            "its time stamps carry a UTC offset, and the scenario states no time zone to convert "
            "them to; state one, such as 'Europe/Berlin', or leave the offset out"
        )
    try:
        zone = ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"the scenario's time zone {time_zone!r} is unknown") from error
    local = datetime.fromtimestamp(first / SECOND, tz=UTC).astimezone(zone)
    offset = (local.utcoffset() or timedelta()) - (local.dst() or timedelta())
    return offset // timedelta(microseconds=1)


def place(row: int, stamps: pa.ChunkedArray) -> str:
    """``row 17 (2016-07-13 04:00)``: the row counted from 1, with its time stamp as written."""
    return f"row {row + 1} ({stamps[row].as_py()})"


def _minutes(microseconds: int) -> str:
    return f"{microseconds / (60 * SECOND):g} min"
