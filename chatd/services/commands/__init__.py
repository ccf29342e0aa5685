"""Application commands: defining them, permitting them in guilds, and listing them for clients."""
