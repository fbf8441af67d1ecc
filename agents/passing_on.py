"""A community manager's own problem: what its members leave over is passed on, at a fee."""

from dataclasses import dataclass

import numpy as np

from nashgrid.market.level_fees import LevelFees
from nashgrid.market.messages import Floats


@dataclass(frozen=True)
class Wish:
    """Terms of a passed-on quantity: the linear and half the quadratic part of what it costs.

    Parameters
    ----------
    linear : (T, P) of what is taken at each place [currency/kWh]
    curvature : (P,) above 0 [currency/kW2h]
    linear_between : (T,) of what is bought of other communities [currency/kWh]
    curvature_between : above 0 [currency/kW2h]
    """

    linear: Floats
    curvature: Floats
    linear_between: Floats
    curvature_between: float


@dataclass(frozen=True)
class PassingOn:
    """Take r (T, P) at places for the members, B (T,) of it from other communities.

        minimise  dt sum_t (b |B_t| + d |D_t|),   D_t = sum_k r_tk - B_t
        b = between - inside,   d = rest - inside

    Members pay the fee inside on all that they trade; the manager pays what is due beyond it for
    what leaves the community. Slots are independent.

    Parameters
    ----------
    fees : per kWh and level
    limit_kw : (P,) what the members' connections let through at each place [kW]
    slot_hours : dt [h]
    """

    fees: LevelFees
    limit_kw: Floats
    slot_hours: float

    @property
    def between_fee(self) -> float:
        """b, what a kWh between communities costs beyond the fee inside [currency/kWh]."""
        return self.fees.between - self.fees.inside

    @property
    def rest_fee(self) -> float:
        """d, what a kWh of the rest costs beyond the fee inside [currency/kWh]."""
        return self.fees.rest - self.fees.inside

    def cost(self, taken_kw: Floats, between_kw: Floats) -> float:
        """The fees that the manager pays [currency]."""
        rest_kw = taken_kw.sum(axis=1) - between_kw
        paid = self.between_fee * np.abs(between_kw) + self.rest_fee * np.abs(rest_kw)
        return float(self.slot_hours * paid.sum())

    def answer(self, wish: Wish) -> tuple[Floats, Floats]:
        """argmin cost / dt + linear r + 1/2 curvature r^2 + the same of B, in closed form.

        With s in [-d, d] the slope of d |D|:  r_k = -(g_k + s) / h_k and, thresholded at b,
        B = S(s - g_B) / h_B. D(s) falls, so s is its root, or the end of the range that the root
        lies beyond.

        Returns
        -------
        (T, P) taken at each place and (T,) bought of other communities [kW]
        """
        sway = (1 / wish.curvature).sum()
        pull = wish.linear @ (1 / wish.curvature)
        bend, dear = 1 / wish.curvature_between, self.between_fee
        resting = -pull / sway
        beyond = resting - wish.linear_between
        threshold = wish.linear_between + np.clip(beyond, -dear, dear)
        slope = np.where(np.abs(beyond) <= dear, resting, (threshold * bend - pull) / (sway + bend))
        slope = np.clip(slope, -self.rest_fee, self.rest_fee)
        taken_kw = -(wish.linear + slope[:, None]) / wish.curvature
        gain = slope - wish.linear_between
        return taken_kw, bend * (gain - np.clip(gain, -dear, dear))

    def least_cost(self, margin: Floats, premium: Floats) -> float:
        """min cost + dt sum (margin r + premium B) within |r_k| <= limit_k, |B| <= sum limit.

        By weak duality, for any s in [-d, d],

            min >= dt sum_t (-sum_k limit_k |margin_k + s| - limit max(|premium - s| - b, 0)),

        concave and piecewise linear in s: the best of its kinks is the least cost.

        Parameters
        ----------
        margin : (T, P) what a kW more at each place costs the manager [currency/kWh]
        premium : (T,) of what comes from other communities [currency/kWh]
        """
        dear, most = self.between_fee, self.rest_fee
        kinks = [-margin.T, premium - dear, premium + dear, np.full((2, len(premium)), most)]
        kinks[-1][0] *= -1
        slope = np.clip(np.vstack(kinks), -most, most)
        at_places = np.abs(margin + slope[..., None]) @ self.limit_kw
        over = np.maximum(np.abs(premium - slope) - dear, 0.0) * self.limit_kw.sum()
        return float(-self.slot_hours * (at_places + over).min(axis=0).sum())
