"""The vocabulary of the chat server: pure values and rules, no input or output."""
