"""Delta by path, Hive publishing, files, locks and fingerprints."""
