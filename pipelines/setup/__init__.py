"""What set-up puts in place once the Python environment is there: Java, connector jars, Spark's files, the token key.

Every step looks first, changes only what is missing or wrong, and can be repeated. Standard library only, so that it
also runs when half of the environment is missing.
"""
