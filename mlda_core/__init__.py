"""Latent-space climate model and data assimilation: the library, free of any user interface."""

__version__ = "0.1.0"
