"""The pytest plugin that runs and judges every block of the pages."""
