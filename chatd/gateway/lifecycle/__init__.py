"""The start of sessions, the validation of resumes, and the handoff to other instances.

`startup` sends READY, and `late_guilds` the guilds that are too large to be read with it. The base
class of both is in `startup_listener`, and `buffered_events` selects what continues a snapshot.
`resume_validator` asks Postgres whether a session may be resumed. `handoff` saves sessions in Redis
at shutdown, and `restore` continues one here.
"""
