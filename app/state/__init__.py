"""What a visitor's page shows, as plain data."""
