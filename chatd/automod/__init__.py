"""AutoModeration: comparing texts with the rules of a guild, in bounded time and memory."""
