"""What requests may hold, one file for each noun."""
