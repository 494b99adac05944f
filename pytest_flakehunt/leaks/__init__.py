"""What tests leave behind: look, compare, wait, name the owner."""
