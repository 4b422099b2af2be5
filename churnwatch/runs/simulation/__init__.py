"""Simulation: the loop of lists, contacts and outcomes, day after day, on a company whose truth is known."""

from churnwatch.runs.simulation.loop import simulate
from churnwatch.runs.simulation.result import DayOf, Simulated

__all__ = ["DayOf", "Simulated", "simulate"]
