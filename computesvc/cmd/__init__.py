"""The commands: computesvc-api, -conductor, -agent and -manage."""
