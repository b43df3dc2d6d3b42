"""The ground floor: grid, variables, units, climatology, interpolation, scores of fields."""
