"""Forecast models: what steps a state in time, and the covariance of its errors."""
