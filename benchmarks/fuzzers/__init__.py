"""What strangers could hand in, made by the thousand."""
