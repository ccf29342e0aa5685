"""Domain types and rules of the chat server. Pure: no input or output."""
