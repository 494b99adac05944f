"""What the user asked for, and every refusal; and what becomes of what other plugins were asked for."""
