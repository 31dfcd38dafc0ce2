"""Page models: what each page shows, made of what was read; no HTML here."""
