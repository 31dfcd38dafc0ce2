"""Tells what is wrong with the machine and the environment, and what to do about it.

Standard library only: it has to speak when nothing else of the environment works.
"""
