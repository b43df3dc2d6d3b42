"""Responses of the climate to SST changes."""
