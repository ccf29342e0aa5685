"""The aiohttp middlewares of the REST API: errors, authentication, limits, metrics, CORS."""
