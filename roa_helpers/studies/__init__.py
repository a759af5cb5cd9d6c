"""One module for each study: what is computed, unit by unit."""
