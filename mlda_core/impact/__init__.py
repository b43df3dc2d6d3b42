"""Models from the latent vector to a series of the world, such as a river's flow."""
