"""What managers of communities pay and are paid, and the fees by level."""

from dataclasses import dataclass

import numpy as np

from nashgrid.market.level_fees import LevelFees
from nashgrid.market.messages import Floats, Integers
from nashgrid.market.settlement import Payments, day_payments, energy_payments

INSIDE_FEE = "fee inside the community"
BETWEEN_FEE = "fee between communities"
REST_FEE = "fee of the rest"


@dataclass(frozen=True)
class Membership:
    """Who of n agents is a member of which community, and the fees by level.

    Parameters
    ----------
    fees : per kWh and level
    community : (n,) number of the community; -1: of none
    """

    fees: LevelFees
    community: Integers

    def fees_alone(self, baseline_kw: Floats, slot_hours: float) -> Floats:
        """(n,) what members pay where all deal with the utility alone: all is rest."""
        return np.asarray(self.fees.rest * self._members_kwh(baseline_kw, slot_hours))

    def due_alone(self, baseline_kw: Floats, slot_hours: float, payee: Integers) -> list[Payments]:
        """The same, as payments."""
        fees = self.fees_alone(baseline_kw, slot_hours)
        return _for_the_day(REST_FEE, np.arange(len(fees)), payee, fees)

    def due_inside(self, trade_kw: Floats, slot_hours: float, payee: Integers) -> list[Payments]:
        """Members pay the fee inside on all that they trade."""
        fees = self.fees.inside * self._members_kwh(trade_kw, slot_hours)
        return _for_the_day(INSIDE_FEE, np.arange(len(fees)), payee, fees)

    def _members_kwh(self, power_kw: Floats, slot_hours: float) -> Floats:
        """(n,) energy that members trade over the day, bought and sold."""
        return np.where(self.community >= 0, slot_hours * np.abs(power_kw).sum(axis=1), 0.0)


@dataclass(frozen=True)
class PassedOn:
    """What the managers of C communities pass on, K pairs of a community and a place.

    Parameters
    ----------
    managers : (C,) names
    pair_community : (K,) number of the community
    taken_wh, price_micro : (K, T) energy taken at a place for members, and its price there
    between_kw, rest_kw : (C, T) bought of other communities, and of the rest [kW]
    between_wh, premium_micro : (C, T) and (T,), the first as settled, and its premium
    """

    managers: tuple[str, ...]
    pair_community: Integers
    taken_wh: Integers
    price_micro: Integers
    between_kw: Floats
    rest_kw: Floats
    between_wh: Integers
    premium_micro: Integers

    def pay(self, first: int, payee: Integers) -> list[Payments]:
        """Managers, numbered from `first` on, pay for energy at places, and for what is matched."""
        numbers = first + np.arange(len(self.managers))
        at_places = first + self.pair_community
        return [
            energy_payments("energy passed on", at_places, payee, self.taken_wh, self.price_micro),
            energy_payments(
                "matched between communities", numbers, payee, self.between_wh, self.premium_micro
            ),
        ]

    def due_beyond(
        self, fees: LevelFees, slot_hours: float, first: int, payee: Integers
    ) -> list[Payments]:
        """Managers pay what is due beyond the fee inside for what leaves their community."""
        numbers = first + np.arange(len(self.managers))
        between, rest = (
            slot_hours * np.abs(power).sum(axis=1) for power in (self.between_kw, self.rest_kw)
        )
        return [
            *_for_the_day(BETWEEN_FEE, numbers, payee, (fees.between - fees.inside) * between),
            *_for_the_day(REST_FEE, numbers, payee, (fees.rest - fees.inside) * rest),
        ]


def _for_the_day(item: str, payer: Integers, payee: Integers, amount: Floats) -> list[Payments]:
    some = amount > 0
    return [day_payments(item, payer[some], payee, amount[some])] if some.any() else []
