"""The dashboard: ``panel serve app``."""

from app.in_notebook import mlda_app

__all__ = ["mlda_app"]
