"""Entry points for spark-submit, one a stage."""
