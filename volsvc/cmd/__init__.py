"""The commands: volsvc-api, -worker and -manage."""
