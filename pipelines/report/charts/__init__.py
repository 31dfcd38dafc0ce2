"""Charts: what is drawn for a query (`specs`), the figure (`figures`), the sentence beside it (`summaries`)."""
