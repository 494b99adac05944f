"""The command line around hunts: `flakehunt`."""
