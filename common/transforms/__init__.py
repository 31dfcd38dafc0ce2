"""DataFrame to DataFrame: no reading, no writing, no actions."""
