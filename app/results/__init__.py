"""The panel below the maps: verification, attribution, impact models."""
