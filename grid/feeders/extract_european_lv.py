"""Make the folder ``european_lv``: the balanced IEEE European low-voltage test feeder.

Run once by a developer, never by a user::

    pip download pandapower==3.5.6 --no-deps
    python grid/feeders/extract_european_lv.py pandapower-3.5.6-py3-none-any.whl

The wheel is read as a zip archive; pandapower need not be installed. What the balanced equivalent
is, and what was changed, is told in docs/networks.md.
"""

import argparse
import csv
import json
import math
import zipfile
from collections import defaultdict
from pathlib import Path

SOURCE = "pandapower/networks/IEEE_European_LV_On_Peak_566.json"
OUTPUT = Path(__file__).with_name("european_lv")
POWER_FACTOR = 0.95
LOADS, LINES, TOTAL_KW = 55, 905, 57.358

Row = dict[str, float]
Neighbours = dict[int, dict[int, tuple[float, float]]]


def read_table(network: dict[str, dict[str, str]], name: str) -> list[Row]:
    """Rows of one table of the network."""
    table = json.loads(network[name]["_object"])
    return [dict(zip(table["columns"], row)) for row in table["data"]]


def merge_series(neighbours: Neighbours, kept: set[int]) -> None:
    """Take out buses that neither take power nor branch: exact, as lines are series impedances."""
    for bus in sorted(neighbours):
        if bus in kept:
            continue
        around = neighbours[bus]
        if len(around) == 2:
            (one, first), (other, second) = around.items()
            total = first[0] + second[0], first[1] + second[1]
            neighbours[one][other] = neighbours[other][one] = total
        if len(around) <= 2:
            for far in list(around):
                del neighbours[far][bus]
            del neighbours[bus]


def main() -> None:
    """Read the wheel named on the command line and write the two tables."""
    parser = argparse.ArgumentParser(description="Make the folder european_lv")
    parser.add_argument("wheel", type=Path, help="pandapower-3.5.6-py3-none-any.whl")
    with zipfile.ZipFile(parser.parse_args().wheel) as wheel:
        network = json.loads(wheel.read(SOURCE))["_object"]
    lines, loads = read_table(network, "line"), read_table(network, "asymmetric_load")
    (transformer,) = read_table(network, "trafo")
    base_kva, base_kv = 1e3 * transformer["sn_mva"], transformer["vn_lv_kv"]
    base_ohm = 1e3 * base_kv**2 / base_kva

    power_kw: dict[int, float] = defaultdict(float)
    for load in loads:
        power_kw[int(load["bus"])] += 1e3 * (load["p_a_mw"] + load["p_b_mw"] + load["p_c_mw"])
    total_kw = sum(power_kw.values())
    if len(loads) != LOADS or len(lines) != LINES or abs(total_kw - TOTAL_KW) > 1e-3:
        raise ValueError(f"{len(loads)} loads, {len(lines)} lines, {total_kw} kW: another source")

    neighbours: Neighbours = defaultdict(dict)
    for line in lines:
        one, other = int(line["from_bus"]), int(line["to_bus"])
        per_km = line["r_ohm_per_km"], line["x_ohm_per_km"]
        r_pu, x_pu = (line["length_km"] * value / base_ohm for value in per_km)
        neighbours[one][other] = neighbours[other][one] = (r_pu, x_pu)
    high, low = int(transformer["hv_bus"]), int(transformer["lv_bus"])
    r_pu = transformer["vkr_percent"] / 100
    winding = r_pu, math.sqrt((transformer["vk_percent"] / 100) ** 2 - r_pu**2)
    neighbours[high][low] = neighbours[low][high] = winding
    # Ends without a load go first; what is left of their stem may then be merged in turn.
    kept, before = {high, low, *power_kw}, 0
    while before != len(neighbours):
        before = len(neighbours)
        merge_series(neighbours, kept)

    with (OUTPUT / "lines.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["from_bus", "to_bus", "resistance_pu", "reactance_pu", "limit_kva", "closed"]
        )
        for one, around in sorted(neighbours.items()):
            for other, (r_pu, x_pu) in sorted(around.items()):
                limit = f"{base_kva:g}" if {one, other} == {high, low} else ""
                if one < other:
                    writer.writerow([one, other, f"{r_pu:.9g}", f"{x_pu:.9g}", limit, 1])
    ratio = math.tan(math.acos(POWER_FACTOR))
    with (OUTPUT / "buses.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["bus", "load_kw", "load_kvar"])
        for bus in sorted(neighbours):
            load_kw = power_kw.get(bus, 0.0)
            writer.writerow([bus, f"{load_kw:.6g}", f"{ratio * load_kw:.6g}"])


if __name__ == "__main__":
    main()
