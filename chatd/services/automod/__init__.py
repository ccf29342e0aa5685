"""AutoModeration: managing the rules of a guild, and applying them to messages of its members."""
