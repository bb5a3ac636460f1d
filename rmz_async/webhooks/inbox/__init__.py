"""Where verified deliveries wait until their handlers have run."""
