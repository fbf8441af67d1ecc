"""Make ``simbench_2016.parquet`` from the SimBench wheel.

Run once by a developer, never by a user::

    pip download simbench==1.6.3 --no-deps
    python runs/data/extract_simbench.py simbench-1.6.3-py3-none-any.whl

The wheel is read as a zip archive; SimBench need not be installed. What is taken, and how it is
changed, is told in ``README.md`` beside this file; every expectation about the source is checked
here, so that another version of it cannot slip in unnoticed.
"""

import argparse
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = "simbench/networks/1-complete_data-mixed-all-0-sw/"
OUTPUT = Path(__file__).with_name("simbench_2016.parquet")
QUARTER_HOURS = 366 * 96
PROFILES = 70
# Active power only: a scenario derives reactive power from a power factor.
LOAD_COLUMN = re.compile(r"((?:BL|WB|G\d|H0|L\d)-.+|(?:HLS|APLS|Air|Soil)_.+)_pload")
RENEWABLE_COLUMN = re.compile(r"((?:PV|WP)\d+)")
# Rounding residue in the source: 12 columns reach down to between -3e-6 and -1.2e-5.
LARGEST_RESIDUE = 2e-5
# Measured loads take few distinct values (a dictionary packs them best); weather does not.
MOST_DISTINCT_FOR_DICTIONARY = 8000


def read_columns(wheel: zipfile.ZipFile, file: str, wanted: re.Pattern[str]) -> pd.DataFrame:
    """Columns of a SimBench profile file whose whole name matches, under the matched name.

    The time labels of the source are German wall-clock time: they skip an hour on 27 March and
    repeat one on 30 October, while the rows run on evenly. The index returned is the even one,
    Central European standard time (UTC+1) all year.
    """
    with wheel.open(FOLDER + file) as source:
        table = pd.read_csv(source, sep=";")
    even = pd.date_range("2016-01-01", periods=QUARTER_HOURS, freq="15min", tz="Etc/GMT-1")
    labels = even.tz_convert("Europe/Berlin").strftime("%d.%m.%Y %H:%M")
    if len(table) != QUARTER_HOURS or not (table["time"].to_numpy() == labels.to_numpy()).all():
        raise ValueError(f"{file}: the time column is not the quarter hours of 2016, Europe/Berlin")
    names = {str(column): wanted.fullmatch(str(column)) for column in table.columns}
    chosen = {column: match.group(1) for column, match in names.items() if match}
    return table[list(chosen)].rename(columns=chosen).set_index(even.tz_localize(None))


def clean(profiles: pd.DataFrame) -> pd.DataFrame:
    """The profiles as float32 in [0, 1], rounding residue below zero set to zero."""
    values = profiles.to_numpy(dtype=np.float64)
    if profiles.shape[1] != PROFILES or profiles.columns.has_duplicates:
        raise ValueError(f"expected {PROFILES} different profiles, got {profiles.shape[1]}")
    if not (np.isfinite(values).all() and -LARGEST_RESIDUE <= values.min() <= values.max() <= 1):
        raise ValueError("a profile is not a number between 0 and 1")
    return profiles.clip(lower=0).astype(np.float32)


def write(profiles: pd.DataFrame, path: Path) -> None:
    """Write one row group, each column in the encoding that packs it best."""
    names = [str(name) for name in profiles.columns]
    few = [name for name in names if profiles[name].nunique() < MOST_DISTINCT_FOR_DICTIONARY]
    arrays = {"time": pa.array(profiles.index.to_numpy().astype("datetime64[s]"))}
    arrays |= {name: pa.array(profiles[name].to_numpy()) for name in names}
    pq.write_table(
        pa.table(arrays),
        path,
        compression="zstd",
        compression_level=19,
        row_group_size=QUARTER_HOURS,
        use_dictionary=few,
        column_encoding={"time": "DELTA_BINARY_PACKED"}
        | {name: "BYTE_STREAM_SPLIT" for name in names if name not in few},
    )


def main() -> None:
    """Read the wheel named on the command line and write the Parquet file beside this script."""
    parser = argparse.ArgumentParser(description="Make simbench_2016.parquet")
    parser.add_argument("wheel", type=Path, help="simbench-1.6.3-py3-none-any.whl")
    with zipfile.ZipFile(parser.parse_args().wheel) as wheel:
        loads = read_columns(wheel, "LoadProfile.csv", LOAD_COLUMN)
        renewables = read_columns(wheel, "RESProfile.csv", RENEWABLE_COLUMN)
    write(clean(pd.concat([loads, renewables], axis=1)), OUTPUT)


if __name__ == "__main__":
    main()
