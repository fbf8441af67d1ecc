"""The cloud: the broker between prosumers and who delivers.

It runs an exchange: it announces quotes and adds up what it hears. What it says, and to whom, is
declared field by field in `nashgrid.market.disclosure`; it refuses to say anything else.
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import mesa
import numpy as np

from nashgrid.agents.bench import Bench, Members
from nashgrid.agents.trading_agent import TradingAgent
from nashgrid.market.disclosure import undisclosed
from nashgrid.market.exchange import Exchange, ExchangeRules, OfferSums
from nashgrid.market.messages import Floats, Messages


class CloudTerms(TypedDict):
    """What every cloud is made of, see `Cloud`."""

    members: Sequence[Members]
    rules: ExchangeRules
    opening_price: Floats


class Cloud(TradingAgent):
    """Runs one exchange. It knows prices, sums and who takes part; no member's state.

    Prosumers hear prices of it, the counterparty prices and sums.

    Parameters
    ----------
    topic : name of the exchange
    members : who takes part, in groups that speak in columns of their own
    rules : of the exchange
    opening_price : (K,) [currency/kWh]
    """

    def __init__(
        self,
        model: mesa.Model,
        topic: str,
        *,
        members: Sequence[Members],
        rules: ExchangeRules,
        opening_price: Floats,
    ) -> None:
        super().__init__(model, f"cloud of {topic}")
        self.topic = topic
        self.rules = rules
        self._opening_price = opening_price
        self._exchange: Exchange | None = None
        self._benches = [Bench(group) for group in members]

    @property
    def exchange(self) -> Exchange:
        """The state of the exchange, once it is open."""
        if self._exchange is None:
            raise ValueError(f"the {self.name} is not open yet")
        return self._exchange

    def receive(self, messages: Messages) -> None:
        """Note a column of enrolments, offers or commitments."""
        for bench in self._benches:
            bench.hear(messages)

    @property
    def member_count(self) -> int:
        """How many take part, those included whom a member speaks for."""
        groups = [bench.members for bench in self._benches]
        return sum(members.speak_for or len(members) for members in groups)

    def open_exchange(self) -> bool:
        """Fix the sizes: everybody has enrolled. Whether there is anything to negotiate."""
        self._exchange = Exchange(self.rules, self._sum("size"), self._opening_price)
        self._forget()
        return True

    def quote(self, now_s: float) -> None:
        """Announce the next round."""
        exchange = self.exchange
        self._announce(
            "quote",
            now_s,
            by_commodity={"price": exchange.price, "imbalance": exchange.imbalance},
            to_all={
                "step": np.array([exchange.step]),
                "memory_slot": np.array([float(exchange.memory_slot)]),
                "mixing_weights": exchange.weights,
            },
        )

    def close_round(self) -> None:
        """End the round with the offers heard."""
        self.exchange.close(
            OfferSums(
                quantity=self._sum("quantity"),
                squared_norm=float(self._total("squared_norm")[0]),
                residual_products=self._total("residual_products"),
            )
        )
        self._forget()

    def announce_closing(self, now_s: float) -> None:
        """Announce the clearing price."""
        self._announce("closing", now_s, by_commodity={"price": self.exchange.clearing_price})

    def tell_sums(self, receiver: int, now_s: float) -> None:
        """Tell who faces many what all the others amount to, in each commodity that it trades."""
        names = ("size", "connection_kw", "lowest_kw", "highest_kw")
        bench = self._bench_of(receiver)
        fields = {name: bench.own(self._sum(name)) for name in names}
        self._tell("enrolment sums", bench.members, fields, now_s)

    def tell_left_over(self, receivers: Sequence[int], now_s: float) -> None:
        """Tell managers what is left over where only they and their members trade.

        Who trades a commodity with other managers hears an equal share.
        """
        benches = [self._bench_of(receiver) for receiver in receivers]
        takers = np.zeros_like(self._opening_price)
        for bench in benches:
            bench.count_into(takers)
        left = -self._sum("quantity") / np.maximum(takers, 1.0)
        for bench in self._benches:
            if bench.members.role == "counterparty":
                left[bench.members.commodities] = 0.0
        for bench in benches:
            self._tell("left over", bench.members, {"quantity": bench.own(left)}, now_s)

    def tell_remainder(self, receiver: int, now_s: float) -> None:
        """Tell the counterparty what it has to buy so that every commodity balances."""
        bench = self._bench_of(receiver)
        fields = {"quantity": bench.own(-self._sum("quantity"))}
        self._tell("remainder", bench.members, fields, now_s)

    def pass_on_set_points(self, now_s: float) -> None:
        """Tell prosumers how who delivers sets the inverters at their place, where it does."""
        if not any("reactive_share" in bench.heard for bench in self._benches):
            return
        share = self._sum("reactive_share")
        for bench in self._benches:
            if bench.members.role == "prosumer":
                fields = {"reactive_share": bench.at_place(share)}
                self._tell("set points", bench.members, fields, now_s)

    def _announce(
        self,
        kind: str,
        now_s: float,
        by_commodity: Mapping[str, Floats],
        to_all: Mapping[str, Floats] | None = None,
        benches: Sequence[Bench] | None = None,
    ) -> None:
        for bench in self._benches if benches is None else benches:
            fields = {name: bench.own(values) for name, values in by_commodity.items()}
            for name, values in (to_all or {}).items():
                fields[name] = np.broadcast_to(values, (len(bench.members), len(values)))
            self._tell(kind, bench.members, fields, now_s)

    def _tell(
        self, kind: str, members: Members, fields: Mapping[str, Floats], now_s: float
    ) -> None:
        """Say a row of every field to each member; refuse what is not declared for its role."""
        secrets = undisclosed(kind, members.role, fields)
        if secrets:
            raise ValueError(
                f"{self.name}: a {kind} must not tell a {members.role} of {', '.join(secrets)}"
            )
        sender, sent_s = np.full(len(members), self.unique_id), np.full(len(members), now_s)
        said = Messages(kind, self.topic, sender, members.addresses, fields, sent_s)
        self.outbox.append(said)

    def _bench_of(self, member: int) -> Bench:
        """The bench whose only member answers at an address."""
        for bench in self._benches:
            if np.array_equal(bench.members.addresses, [member]):
                return bench
        raise ValueError(f"{self.name}: nobody who takes part alone has the address {member}")

    def _sum(self, name: str) -> Floats:
        """(K,) sum by commodity, in the order of addresses: independent of who spoke first."""
        total = np.zeros_like(self._opening_price)
        for bench in self._benches:
            bench.add_to(total, name)
        return total

    def _total(self, name: str) -> Floats:
        """Sum over all members of a field that is not by commodity."""
        parts = [bench.totals(name) for bench in self._benches]
        return np.asarray(np.concatenate(parts).sum(axis=0))

    def _forget(self) -> None:
        for bench in self._benches:
            bench.heard.clear()
