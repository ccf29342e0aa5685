"""Faults, on real processes: what breaks around a server, or in it, while many write and listen.

Of each fault it is told what users saw, what was lost (nothing that was acknowledged, by the
checker of `tests.history`), and how long it took until all was well again without anybody's help.
"""
