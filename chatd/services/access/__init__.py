"""Access control: permissions in guilds and channels, and a cache for hot routes."""
