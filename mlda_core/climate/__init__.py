"""Foundations: grid, variables, units, climatology, interpolation, scores of fields."""
