"""The catalogue of dispatches: one function per event, returning an Event.

Name, audience, intent and body of a dispatch stand in one place. The body is encoded here, once,
however many sessions get it.
"""
