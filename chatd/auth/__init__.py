"""Password hashes, access tokens, bot tokens and signed URLs."""
