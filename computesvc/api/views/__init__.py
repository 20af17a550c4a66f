"""What answers show, by microversion; one module for each noun."""
