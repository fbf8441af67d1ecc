"""What devices do in every slot, summed by kind, from a table of schedules."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nashgrid.market.messages import Floats
from nashgrid.runs.report.style import (
    BLUE,
    GREEN,
    LIGHT_GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    YELLOW,
)
from nashgrid.runs.report.words import rounded

_NOTHING_KW = 1e-3


@dataclass(frozen=True)
class Kind:
    """A kind of device: its name in schedules, its words, its colour, whether it stores."""

    name: str
    words: str
    colour: str
    stores: bool = False


KINDS = (
    Kind("load", "load", LIGHT_GREY),
    Kind("shiftable load", "shiftable load", PURPLE),
    Kind("battery", "battery", GREEN, stores=True),
    Kind("vehicle", "vehicle", ORANGE, stores=True),
    Kind("pv", "PV", YELLOW),
    Kind("wind", "wind", SKY),
    Kind("generator", "generator", VERMILLION),
)
OTHER = Kind("other", "other", BLUE)


def kind_of_device(device: str) -> Kind:
    """The kind of a device by how its name begins: "load 1" is a load."""
    named = f"{device} "
    return next((kind for kind in KINDS if named.startswith(f"{kind.name} ")), OTHER)


def consumption_by_kind(schedules: pd.DataFrame, slots: int) -> dict[Kind, tuple[Floats, Floats]]:
    """Kind -> (what it takes, what it gives) per slot, both (T,) and at least 0 [kW].

    A store may charge in one place while it discharges in another: both are kept apart.
    """
    device = schedules["device"].to_numpy(dtype=object)
    power = schedules["consumption_kw"].to_numpy(dtype=float)
    slot = schedules["slot"].to_numpy()
    kind_of = {name: kind_of_device(name) for name in dict.fromkeys(device)}
    result: dict[Kind, tuple[Floats, Floats]] = {}
    for kind in (*KINDS, OTHER):
        names = [name for name, own in kind_of.items() if own is kind]
        if names:
            rows = np.isin(device, names)
            taken, given = np.maximum(power[rows], 0.0), np.maximum(-power[rows], 0.0)
            result[kind] = (
                np.asarray(np.bincount(slot[rows], taken, minlength=slots), dtype=float),
                np.asarray(np.bincount(slot[rows], given, minlength=slots), dtype=float),
            )
    return result


def drawn(power_kw: Floats) -> list[float | None]:
    """Heights of bars; nothing, rather than a zero to point at, where there is no power."""
    return [value if abs(value) >= _NOTHING_KW else None for value in rounded(power_kw, 3)]
