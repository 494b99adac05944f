"""What a change touches: which files differ from a revision, and which tests have to do with them."""
