"""The revision at which a test began to fail."""
