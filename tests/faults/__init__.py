"""Fault injection on real processes, while many clients write and listen.

Each fault is reported with what the clients saw, what was lost, and the time until the instances
recovered without intervention. The checker of `tests.history` verifies that no acknowledged message
is lost.
"""
