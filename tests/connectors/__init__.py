"""The connectors that ship with Headwater, each through the command line against a server that behaves as its service does."""
