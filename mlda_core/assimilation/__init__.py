"""Data assimilation in the latent space, and baseline methods."""
