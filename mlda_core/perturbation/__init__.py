"""Changes of the sea and the response to them."""
