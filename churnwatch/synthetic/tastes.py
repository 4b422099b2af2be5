"""What customers use and buy: everyone has favourites, and who turns away keeps to fewer of them."""

from __future__ import annotations

import numpy as np

from churnwatch.synthetic.seasons import Feelings, Floats, Ints

FEATURES = ("orders", "invoices", "stock", "reports", "messages", "exports", "mobile", "settings")
CATEGORIES = ("add-on", "support pack", "training", "hardware", "supplies", "templates")
# How readily anyone goes on to the next favourite: from one of the closed to one of the curious.
_LEAST, _MOST = 0.05, 0.85


def pick(rng: np.random.Generator, options: int, customer: Ints, customers: int, breadth: Floats | Feelings) -> Ints:
    """Which of ``options`` each event of ``customer`` is about.

    Every customer likes the options in an order of their own; the chance falls by the same factor from one to
    the next, and ``breadth`` (1 is usual) of the moment makes the factor smaller or larger.
    """
    liked = rng.random((customers, options)).argsort(axis=1)
    curious = rng.beta(6, 4, customers)
    factor = np.clip(curious[customer] * np.sqrt(breadth), _LEAST, _MOST)
    # A geometric distribution, cut off after the last option.
    place = np.log1p(-rng.random(customer.size) * (1 - factor**options)) / np.log(factor)
    return np.asarray(liked[customer, np.minimum(place.astype(np.int64), options - 1)])
