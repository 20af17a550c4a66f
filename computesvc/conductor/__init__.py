"""The control side: control steps of operations, the agents' desk, housekeeping."""
