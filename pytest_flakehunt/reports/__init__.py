"""From findings to text; no arithmetic happens here."""
