"""What a leader and its followers told each other, held to what they had said."""

from collections.abc import Iterator

import numpy as np

from nashgrid.runs.message_log import MessageLog, differ


def volume_misfits(log: MessageLog) -> Iterator[str]:
    """The volume that a leader hears must be the sum over all prosumers: no single one's power."""
    said = log.values(log.of_prosumers("commitment"), "quantity")
    told = log.values(log.to_counterparty("volume"), "volume")[0]
    volume = np.abs(said).sum(axis=0)
    if told.shape != volume.shape or differ(told, volume, float(volume.max())):
        yield f"{log.topic}: the volume is not the sum over the agents"


def charge_misfits(log: MessageLog) -> Iterator[str]:
    """Every prosumer must have heard the charge that the leader announced."""
    said = log.values(log.of_counterparty("charge"), "charge")[0]
    told = log.values(log.to_prosumers("charge"), "charge")
    if told.shape[1:] != said.shape or (told != said).any():
        yield f"{log.topic}: the charge told the agents is not what the leader announced"
