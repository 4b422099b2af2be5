"""How a ledger's schema came to be, one file of ``versions/`` per step, run by ``open_ledger``."""
