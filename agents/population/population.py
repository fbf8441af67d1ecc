"""Many standard buildings that answer a quote together."""

from __future__ import annotations

import os
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.agents.population.alone import Seat, answer_alone
from nashgrid.agents.population.assessment import assess_blocks
from nashgrid.agents.population.buildings import BuildingArrays, Floats, Rows
from nashgrid.agents.population.compiled import (
    compile_callers,
    compiled_pass,
    is_compiled,
    names_of,
)
from nashgrid.agents.population.feasibility import check_feasible
from nashgrid.agents.population.fields import STIFFNESS
from nashgrid.agents.population.lanes import WIDTH
from nashgrid.agents.population.layout import build_blocks, profile_addresses, start_over
from nashgrid.agents.population.prices import read_prices, read_target
from nashgrid.agents.population.schedules import Schedules, find_places, read_schedules
from nashgrid.agents.population.stragglers import ALLOWED, ATTEMPTS
from nashgrid.agents.population.tables import Blocks, Quote, make_scratch, shape_of
from nashgrid.agents.population.work_sharing import answer_chunk, share

GUARD = 1 / 30  # D, the most that a singular group's price moves per step, per price level
COLD_PULL, SETTLED_PULL = 8.0, 0.1  # scale of the proximal terms while settling, first and last
EASING = 1.7  # between two answers; faster, and each needs more evaluations than the last
SETTLING_ROUNDS = 200


class Population:
    """Standard buildings, each of which answers a quote by solving its own problem.

    The arithmetic is done side by side; no building's answer depends on another's data.

    Parameters
    ----------
    buildings : BuildingArrays
        Their profiles are read where they are: do not change them afterwards.
    threads : int, optional
        Threads that share the work; all processors by default.  Answers do not depend on it.

    Attributes
    ----------
    trade : (n, T) the last answer [kW], NaN where every solver failed
    stragglers : buildings that needed more than a few steps in the last answer
    fallbacks : answers so far that the Newton method gave up, and Clarabel found

    Raises
    ------
    ValueError
        Where a building cannot keep its bounds whatever it does; names it and the quantity.
    """

    def __init__(self, buildings: BuildingArrays, threads: int | None = None) -> None:
        check_feasible(buildings)
        if threads is not None and threads < 1:
            raise ValueError(f"threads is {threads}, but must be at least 1")
        self.buildings = buildings
        self.trade: Floats = np.zeros(buildings.load_kw.shape)
        self.stragglers = 0
        self.fallbacks = 0
        self._threads = threads or os.cpu_count() or 1
        self._classes = build_blocks(buildings)
        self._places = find_places(self._classes, buildings.count)
        self._prepared: set[bool] = set()
        self._evaluations = np.zeros(buildings.count, np.int32)
        self._cold = True

    @property
    def failed(self) -> Rows:
        """Rows that the last answer could not solve, nor Clarabel alone; their trade is NaN."""
        return np.flatnonzero(self._evaluations == 0)

    @property
    def evaluations(self) -> Rows:
        """(n,) evaluations that the last answer took; 0 for a failure."""
        return self._evaluations.astype(np.int64)

    @property
    def state_bytes(self) -> int:
        """Memory of what is kept beside the buildings' own arrays."""
        tables: list[Any] = [table for blocks in self._classes for table in blocks]
        tables += [self.trade, self._evaluations, self._places.kind, self._places.lane]
        return sum(table.nbytes for table in tables if isinstance(table, np.ndarray))

    def is_compiled(self, two_prices: bool = False) -> bool:
        """Whether this machine has compiled what an answer needs, now or in an earlier run.

        If not, the first answer (or :meth:`prepare`) takes seconds; the disk keeps the code.
        `two_prices` asks about quotes with a price of sale.
        """
        return is_compiled(map(shape_of, self._classes), two_prices)

    def prepare(self, two_prices: bool = False) -> None:
        """Compile all that answers and bounds need, or fetch it from disk; the first does it else.

        `two_prices` prepares for quotes with a price of sale.
        """
        if two_prices in self._prepared:
            return
        zero = np.zeros(self.buildings.slots)
        compile_callers(self._classes[0], self._quote(zero, self.trade, 1.0))
        for shape in map(shape_of, self._classes):
            for name in names_of(two_prices):
                compiled_pass(name, shape)
        self._prepared.add(two_prices)

    def answer(
        self,
        price: ArrayLike,
        target: ArrayLike,
        rho: float,
        sale_price: ArrayLike | None = None,
        pull: float = 1.0,
    ) -> Floats:
        """Every building's trade in answer to a quote, warm from its last answer.

        Variables without curvature of their own (stored energy, curtailment, devices without
        quadratic cost) are drawn towards the building's last answer; the term vanishes as the
        answers settle.  See :meth:`settle`.  With less pull an answer is nearer to the optimum, but
        takes more evaluations.

        Parameters
        ----------
        price : (T,) or (n, T) what buying costs [currency/kWh]
        target : (n, T) the quote's target z [kW]
        rho : step of the quote [currency/kW^2h per unit of size], above 0
        sale_price : (T,) or (n, T) what selling earns, nowhere above the price; the same if None
            [currency/kWh].  A trade p then costs max(price p, sale_price p) per hour.
        pull : scale of the terms that draw towards the last answer, above 0

        Returns
        -------
        (n, T) trade [kW], positive when buying; valid until the next answer.  NaN in the rows of
        `failed`.

        Raises
        ------
        ValueError
            If the quote has a wrong shape or is not finite, or a sale earns more than buying costs.
        """
        if not (np.isfinite(rho) and rho > 0):
            raise ValueError(f"rho is {rho:g}, but must be above 0")
        quote = self._quote(price, target, 1.0 / rho, sale_price)._replace(looseness=float(pull))
        self.prepare(sale_price is not None)
        classes = self._with_addresses(sale_price is not None)
        counts = share(
            lambda number, *chunk: answer_chunk(classes[number], quote, self._cold, *chunk),
            classes,
            self._threads,
        )
        odd = [-1 - count for count in counts if count < 0]
        if odd:
            raise ValueError(f"building {min(odd)}: its price or target is not finite")
        self.stragglers = sum(counts)
        self._cold = False
        for row in self.failed:
            if answer_alone(self.buildings, self._seat(row), quote):
                self._evaluations[row] = ALLOWED * ATTEMPTS
                self.fallbacks += 1
        return self.trade

    def settle(
        self,
        price: ArrayLike,
        target: ArrayLike,
        rho: float,
        tolerance_kw: float = 1e-8,
        sale_price: ArrayLike | None = None,
    ) -> Floats:
        """Answer the same quote until no trade moves by more than the tolerance.

        Then nothing is left of the proximal terms, and the answer is the building's optimum.

        Raises
        ------
        RuntimeError
            If trades still move after many rounds, naming the building that moves most.
        """
        start = COLD_PULL if self._cold else 1.0
        before, worst, move = self.trade.copy(), 0, np.inf
        for number in range(SETTLING_ROUNDS):
            pull = max(start / EASING**number, SETTLED_PULL)
            trade = self.answer(price, target, rho, sale_price, pull)
            moves = np.nan_to_num(np.abs(trade - before)).max(axis=1)
            worst, move = int(np.argmax(moves)), float(moves.max())
            if number > 0 and move <= tolerance_kw:
                return trade
            before = trade.copy()
        raise RuntimeError(
            f"building {worst}: its trade still moves by {move:g} kW after {SETTLING_ROUNDS} "
            f"answers to the same quote, more than {tolerance_kw:g} kW"
        )

    def forget(self) -> None:
        """Start the next answer as if it were the first."""
        self.trade = np.zeros_like(self.trade)
        self.stragglers = self.fallbacks = 0
        self._evaluations = np.zeros_like(self._evaluations)
        self._classes = start_over(self._classes, self.buildings)
        self._cold = True

    def anew(self) -> Population:
        """The same buildings, found feasible already, without memory of any answer."""
        other = copy(self)
        other.forget()
        return other

    def schedules(self, rows: ArrayLike) -> Schedules:
        """What the devices of some buildings do in the last answer."""
        return read_schedules(
            self.buildings, self._classes, self._places, self.trade, np.asarray(rows, np.int64)
        )

    def cost(self) -> Floats:
        """(n,) cost of the devices in the last answer, without payments [currency]."""
        quote = self._quote(np.zeros(self.buildings.slots), self.trade, 1.0)
        return self._assess(quote, 0.0)[0]

    def dual_bound(
        self,
        price: ArrayLike,
        target: ArrayLike | None = None,
        rho: float = 0.0,
        sale_price: ArrayLike | None = None,
    ) -> Floats:
        """(n,) a lower bound on what each building must pay, devices and trade [currency].

        Without a target: the least cost of a price taker.  So
        ``cost() + slot_hours * (price * trade).sum(axis=1) - dual_bound(price)`` is at least what
        the building could gain by another answer to that price.

        Parameters
        ----------
        price : (T,) or (n, T) what buying costs [currency/kWh]
        target, rho : the rest of a quote, to bound the answer to it
        sale_price : (T,) or (n, T) what selling earns; the same if None [currency/kWh]
        """
        goal = self.trade if target is None else target
        quote = self._quote(price, goal, 1.0, sale_price)
        return self._assess(quote, 0.0 if target is None else rho)[1]

    def _quote(
        self,
        price: ArrayLike,
        target: ArrayLike,
        inverse_rho: float,
        sale_price: ArrayLike | None = None,
    ) -> Quote:
        shape = self.trade.shape
        prices, sale_prices = read_prices(price, sale_price, shape)
        return Quote(
            price=prices,
            own_price=int(prices.shape[0] > 1),
            sale_price=sale_prices,
            own_sale_price=int(sale_prices.shape[0] > 1),
            two_prices=int(sale_price is not None),
            target=read_target(target, shape),
            trade=self.trade,
            evaluations=self._evaluations,
            inverse_rho=inverse_rho,
            looseness=1.0,
            guard=1 / (GUARD * self.buildings.price_level),
        )

    def _seat(self, row: int) -> Seat:
        places = self._places
        blocks = self._classes[places.kind[row]]
        block, lane = divmod(int(places.lane[row]), WIDTH)
        return Seat(blocks, block, lane, int(row))

    def _with_addresses(self, two_prices: bool) -> list[Blocks]:
        """The classes with all addresses: of the passes that answer a quote, and of the profiles.

        Addresses hold only here and now, so they are not kept.
        """
        forward, backward, _ = names_of(two_prices)
        profiles = profile_addresses(self.buildings)
        return [
            blocks._replace(
                profiles=profiles,
                forward=int(compiled_pass(forward, shape_of(blocks)).address),
                backward=int(compiled_pass(backward, shape_of(blocks)).address),
            )
            for blocks in self._classes
        ]

    def _assess(self, quote: Quote, rho: float) -> tuple[Floats, Floats]:
        cost, bound = np.empty((2, self.buildings.count))
        self.prepare(bool(quote.two_prices))
        *_, name = names_of(bool(quote.two_prices))
        classes = self._with_addresses(bool(quote.two_prices))

        def work(number: int, start: int, stop: int) -> int:
            blocks = classes[number]
            scratch = make_scratch(blocks, quote, stop - start)
            scratch.control[STIFFNESS] = rho
            address = int(compiled_pass(name, shape_of(blocks)).address)
            assess_blocks(address, blocks, quote, scratch, start, stop, cost, bound)
            return 0

        share(work, classes, self._threads)
        hours = self.buildings.slot_hours
        return cost * hours, bound * hours
