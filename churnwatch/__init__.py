"""churnwatch: an early warning for customers who are about to leave or are growing unhappy."""

__version__ = "0.1.0"
