"""Work off the event loop: analyses and responses, the latest request first."""
