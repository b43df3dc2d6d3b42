"""The dashboard: ``panel serve app``."""
