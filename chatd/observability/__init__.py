"""What operators read: logs, metrics, and the event loop monitor."""
