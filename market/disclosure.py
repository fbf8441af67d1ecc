"""What the cloud may tell whom: the fields of every kind of message, by the role of who hears it.

A prosumer hears prices and what the exchange itself needs, at its own place alone, and how its
inverters are set: no voltage, no limit, no impedance, no flow and no cost of who delivers. Who
delivers hears the same of every place, and sums over the prosumers at each: no prosumer's own
quantity. The manager of a community hears likewise of the places of its members, and sums over
those at each.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

Role = Literal["prosumer", "manager", "counterparty"]

_EVERYBODY: tuple[Role, ...] = ("prosumer", "manager", "counterparty")
_SUMS = ("size", "connection_kw", "lowest_kw", "highest_kw")
_QUOTE = ("price", "imbalance", "step", "memory_slot", "mixing_weights")

DISCLOSED: Mapping[str, Mapping[Role, tuple[str, ...]]] = {
    "quote": dict.fromkeys(_EVERYBODY, _QUOTE),
    "closing": dict.fromkeys(_EVERYBODY, ("price",)),
    "award": dict.fromkeys(_EVERYBODY, ("weight",)),
    "charge": {"prosumer": ("charge",)},
    "enrolment sums": {"manager": _SUMS, "counterparty": _SUMS},
    "offer sums": {"counterparty": ("quantity",)},
    "left over": {"manager": ("quantity",)},
    "remainder": {"counterparty": ("quantity",)},
    "set points": {"prosumer": ("reactive_share",)},
    "volume": {"counterparty": ("volume",)},
}
"""Kind of message -> role of who hears it -> the fields that it may hold."""


def undisclosed(kind: str, role: Role, fields: Iterable[str]) -> list[str]:
    """Those of the fields that a message of a kind must not tell somebody of a role."""
    declared = DISCLOSED.get(kind, {}).get(role, ())
    return sorted(set(fields) - set(declared))
