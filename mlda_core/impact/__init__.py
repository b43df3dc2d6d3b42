"""Impact models: from the latent vector to a measured series, such as river flow."""
