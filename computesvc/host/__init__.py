"""What runs on a hypervisor host: the agent and the hypervisors it can drive. No database access."""
