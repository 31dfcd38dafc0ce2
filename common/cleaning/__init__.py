"""The one engine behind the four cleaning jobs, driven by the contracts: read, type, resolve, split."""
