"""What goes wrong, by rule and by chance."""
