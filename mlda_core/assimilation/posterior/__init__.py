"""Posterior ensembles: states that are equally likely, given the observations.

Each sampler is one file of :mod:`mlda_core.assimilation.posterior.samplers`.
"""
