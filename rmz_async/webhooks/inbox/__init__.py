"""Storage in which verified deliveries wait until their handlers have run."""
