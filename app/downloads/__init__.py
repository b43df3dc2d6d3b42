"""What a visitor takes away: figures, netCDF files and tables of what is shown."""
