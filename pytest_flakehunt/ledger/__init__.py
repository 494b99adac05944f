"""Where every sweep and attempt is kept, with the evidence: an SQLite file."""
