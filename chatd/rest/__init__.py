"""The REST API: one handler module per resource. A handler parses, calls one service and responds.

`routing` has the decorators with which a module declares its routes, and `table` collects them. A
declaration says what a route requires, reads and answers; it serves the route and describes it
(`openapi`). `request` and `response` read and write JSON. `middleware` is what all routes share.
"""
