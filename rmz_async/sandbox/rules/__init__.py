"""Rules of the shop: what may happen, without HTTP."""
