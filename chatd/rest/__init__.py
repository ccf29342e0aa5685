"""The REST API: handlers, a module per resource. A handler parses, calls one service, answers.

`routes` is the one table of routes, `parse` reads requests, `middlewares` is what all share:
request ids, who asks, and how refusals and our own bugs are told.
"""
