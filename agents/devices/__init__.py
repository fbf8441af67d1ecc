"""Devices: small parts that contribute variables, constraints and cost to an agent's problem."""
