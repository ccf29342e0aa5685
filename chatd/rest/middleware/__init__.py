"""The aiohttp middlewares of the REST API, and what they consist of.

A request passes `api_errors.Answering`, that of `cors` if pages of other origins are allowed, and
one of `admission`: authentication, rate limits, limits of bodies and of concurrent requests.
"""
