"""The catalogue of dispatches: one function per event, returning an Event.

Each function defines the name, the audience, the intent and the body of a dispatch. The body is
encoded here, once for all sessions that receive it.
"""
