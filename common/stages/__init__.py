"""What each stage does; the entry points in jobs/ and the graph in pipelines/ call these."""
