"""Make the folder ``ieee123``: the balanced equivalent of the IEEE 123-node test feeder.

Run once by a developer, never by a user, on the OpenDSS files of the feeder (``IEEE123Master.dss``,
``IEEELineCodes.DSS``, ``IEEE123Loads.DSS``, as distributed with OpenDSS under the licence beside
the tables)::

    python grid/feeders/extract_ieee123.py FOLDER_OF_THE_OPENDSS_FILES

What the balanced equivalent is, and what it leaves out, is told in docs/networks.md.
"""

import argparse
import csv
import re
from collections import defaultdict
from pathlib import Path

OUTPUT = Path(__file__).with_name("ieee123")
BASE_KV, BASE_MVA = 4.16, 5.0
BASE_OHM = BASE_KV**2 / BASE_MVA
# A switch of the source: 1e-3 ohm per unit of length, 1e-3 units long.
SWITCH_OHM = 1e-6
# The transformer 61s-610: 150 kVA, 2 x 0.635 % resistance, 2.72 % reactance.
TRANSFORMER_PU = (2 * 0.00635 * BASE_MVA / 0.150, 0.0272 * BASE_MVA / 0.150)
TRANSFORMER_KVA = 150.0
EXPECTED_KW, EXPECTED_KVAR = 3490.0, 1920.0


def bus_label(text: str) -> int:
    """Number of a bus; the far side of a regulator ("9r") or switch ("61s") is the bus itself."""
    return int(re.match(r"\d+", text).group())  # type: ignore[union-attr]


def line_codes(text: str) -> dict[str, tuple[float, float]]:
    """Positive-sequence impedance of each line code of the feeder, ohm per 1000 feet.

    z1 = mean of the diagonal - mean of what is off it; a single phase has only the diagonal.
    """
    codes: dict[str, tuple[float, float]] = {}
    for part in re.split(r"(?im)^new linecode\.", text)[1:]:
        name = part.split()[0]
        if name not in {str(number) for number in range(1, 13)}:
            continue
        r_ohm, x_ohm = (
            positive_sequence(re.search(rf"(?m)^~ {what}matrix = \[(.*?)\]", part).group(1))  # type: ignore[union-attr]
            for what in "rx"
        )
        codes[name] = r_ohm, x_ohm
    return codes


def positive_sequence(lower_triangle: str) -> float:
    """Mean self minus mean mutual value of a matrix written as its lower triangle."""
    rows = [[float(cell) for cell in row.split()] for row in lower_triangle.split("|")]
    own = [row[-1] for row in rows]
    mutual = [cell for row in rows for cell in row[:-1]]
    return sum(own) / len(own) - (sum(mutual) / len(mutual) if mutual else 0.0)


def read_lines(master: str, codes: dict[str, tuple[float, float]]) -> list[tuple[object, ...]]:
    """Rows of lines.csv: lines, switches, the transformer; the open switches are ties."""
    rows: list[tuple[object, ...]] = []
    for text in re.findall(r"(?im)^new line\.(.*)$", master):
        keys = dict(re.findall(r"(\w+)=(\S+)", text))
        one, other = bus_label(keys["Bus1"]), bus_label(keys["Bus2"])
        if "switch" in keys:
            if one != other:
                closed = int("OPEN" not in keys["Bus2"])
                rows.append((one, other, SWITCH_OHM / BASE_OHM, 0.0, "", closed))
            continue
        r_ohm, x_ohm = codes[keys["LineCode"]]
        length = float(keys["Length"])
        rows.append((one, other, r_ohm * length / BASE_OHM, x_ohm * length / BASE_OHM, "", 1))
    rows.append((61, 610, *TRANSFORMER_PU, TRANSFORMER_KVA, 1))
    return rows


def read_loads(master: str, loads: str) -> dict[int, list[float]]:
    """(kW, kvar) of every bus with a load or a capacitor, the three phases together."""
    power: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for text in re.findall(r"(?im)^new load\.(.*)$", loads):
        keys = {key.lower(): value for key, value in re.findall(r"(\w+)=(\S+)", text)}
        power[bus_label(keys["bus1"])][0] += float(keys["kw"])
        power[bus_label(keys["bus1"])][1] += float(keys["kvar"])
    total = [sum(of_bus[at] for of_bus in power.values()) for at in (0, 1)]
    if total != [EXPECTED_KW, EXPECTED_KVAR]:
        raise ValueError(f"the loads add up to {total}, not {EXPECTED_KW} kW, {EXPECTED_KVAR} kvar")
    for text in re.findall(r"(?im)^new capacitor\.(.*)$", master):
        keys = {key.lower(): value for key, value in re.findall(r"(\w+)=(\S+)", text)}
        power[bus_label(keys["bus1"])][1] -= float(keys["kvar"])
    return power


def main() -> None:
    """Read the OpenDSS files and write the two tables."""
    parser = argparse.ArgumentParser(description="Make the folder ieee123")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    master = (folder / "IEEE123Master.dss").read_text()
    lines = read_lines(master, line_codes((folder / "IEEELineCodes.DSS").read_text()))
    power = read_loads(master, (folder / "IEEE123Loads.DSS").read_text())
    buses = sorted({bus for line in lines for bus in line[:2] if isinstance(bus, int)})
    with (OUTPUT / "lines.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["from_bus", "to_bus", "resistance_pu", "reactance_pu", "limit_kva", "closed"]
        )
        for one, other, r_pu, x_pu, limit, closed in lines:
            writer.writerow([one, other, f"{r_pu:.9g}", f"{x_pu:.9g}", limit, closed])
    with (OUTPUT / "buses.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["bus", "load_kw", "load_kvar"])
        for bus in buses:
            writer.writerow([bus, *(f"{value:g}" for value in power.get(bus, [0.0, 0.0]))])


if __name__ == "__main__":
    main()
