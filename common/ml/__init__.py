"""Recommendations and churn: features, models, their evaluation, and the registry that keeps them."""
