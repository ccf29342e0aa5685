"""Tracebacks of exceptions that outlive their handling.

A traceback refers to the stack frames, and these to their variables. If one of them leads back to
the exception, it is a reference cycle: a closed connection would keep its buffers until the garbage
collector finds it.
"""

from __future__ import annotations


def drop_tracebacks(error: BaseException | None) -> None:
    """Remove the tracebacks of a handled exception and of those before it, if there is one."""
    while error is not None and error.__traceback__ is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
