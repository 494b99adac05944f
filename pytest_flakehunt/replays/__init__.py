"""A known failure run again and again, by hunts in processes of their own."""
