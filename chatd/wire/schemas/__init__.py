"""Request schemas: one for each request body, query and gateway command, with its dataclass.

A field that Discord documents is read, or refused (`wire.unsupported`). Other keys are ignored, as
by Discord.
"""
