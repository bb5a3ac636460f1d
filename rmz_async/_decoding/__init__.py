"""From bytes to models: the only importer of cattrs."""
