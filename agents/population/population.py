"""Many standard buildings that answer a quote together."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import ArrayLike

from nashgrid.agents.population.buildings import BuildingArrays, Floats
from nashgrid.agents.population.lanes import WIDTH
from nashgrid.agents.population.layout import build_blocks
from nashgrid.agents.population.newton import answer_blocks
from nashgrid.agents.population.tables import Quote

GUARD = 1 / 30  # D, the most a singular group's price moves per step, in units of price level
CHUNK = 2048 // WIDTH  # blocks that one thread takes at a time


class Population:
    def __init__(self, buildings: BuildingArrays, threads: int | None = None) -> None:
        self.buildings = buildings
        self._classes = build_blocks(buildings)
        self._threads = threads or os.cpu_count() or 1
        self._chunks = [
            (blocks, start, min(start + CHUNK, len(blocks.rows)))
            for blocks in self._classes
            for start in range(0, len(blocks.rows), CHUNK)
        ]
        self._cold = True
        self._evaluations = np.zeros(buildings.count, np.int32)
        self.stragglers = 0
        self.trade = np.zeros(buildings.load_kw.shape)

    def answer(self, price: ArrayLike, target: ArrayLike, rho: float, looseness=1.0) -> Floats:
        price = np.ascontiguousarray(np.atleast_2d(np.asarray(price, dtype=np.float64)))
        target = np.ascontiguousarray(target, dtype=np.float64)
        quote = Quote(price, int(len(price) > 1), target, self.trade, self._evaluations,
                      1.0 / rho, float(looseness), 1 / (GUARD * self.buildings.price_level))
        cold = self._cold
        def work(chunk):
            return answer_blocks(chunk[0], quote, chunk[1], chunk[2], cold)
        if self._threads == 1:
            counts = [work(c) for c in self._chunks]
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                counts = list(pool.map(work, self._chunks))
        self.stragglers = sum(counts)
        self._cold = False
        return self.trade

    @property
    def failed(self):
        return np.flatnonzero(self._evaluations == 0)
