"""The variational autoencoder: networks, training, latent space, export."""
