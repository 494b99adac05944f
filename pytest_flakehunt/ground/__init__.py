"""The ground that everything stands on: the project's own code, the true clock, seeds, stand-ins, audit events."""
