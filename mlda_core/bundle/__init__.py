"""A trained model as one folder: use, files, statistics."""
