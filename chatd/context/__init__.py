"""What a service needs: the request context, its dependencies, and the unit of work."""
