"""A record of months as one reanalysis: laid out, filled by many processes, gone on with."""
