"""The REST API: handlers, a module per resource. A handler parses, calls one service, answers.

`routes` is the one table of routes: each says who may call it, which body and query it takes and
what it answers, and is served and described (`openapi`) by what it says. `parse` reads requests,
`middlewares` is what all share: request ids, who asks, and how refusals and our own bugs are told.
"""
