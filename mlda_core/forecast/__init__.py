"""Forecast models: differentiable steps of a state in time, and their errors."""
