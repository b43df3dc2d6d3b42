"""Data assimilation in the latent space, and the classical methods beside it."""
