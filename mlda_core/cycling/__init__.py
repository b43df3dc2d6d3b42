"""Assimilation cycled through time: a forecast between two analyses carries what was learnt."""
