"""Safety of the whole server: reports, and the decisions of its administrators about them."""
