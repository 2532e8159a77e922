"""What is measured: declarations only, no input and no output."""
