"""What answers hold, one file for each noun."""
