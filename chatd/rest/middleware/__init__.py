"""The aiohttp middlewares of the REST API, and what they consist of.

A request passes them in this order:

- `api_errors.Answering` gives it an id, renders errors as JSON, and counts it (`request_metrics`).
- `cors` answers preflight requests, if the settings allow pages of other origins.
- `admission` checks the headers of the body (`body_limits`), authenticates the caller
  (`authentication`), and applies `rate_limits` and `concurrency`.
"""
