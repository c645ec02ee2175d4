"""Which part of an argument the programs of a launch reach together: polynomials in, regions out; no syntax.

It has a room of its own because the reader needs the answer while it tells a host function's events, and the reader
does not know the provers.
"""
