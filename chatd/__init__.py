"""chatd: a self-hosted, Discord-compatible realtime chat server.

The story goes one way round: a request or a frame reaches a service, the service writes through
the query modules and says what happened as events, the bus brings each event to every instance,
and there the dispatcher hands it to the sessions that may see it.
"""

__version__ = "0.1.0"
