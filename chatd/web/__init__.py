"""Shared by REST and the gateway: the HTTP server, its connections, and application keys."""
