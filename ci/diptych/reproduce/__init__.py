"""One cell built twice from scratch, in unlike places, and both results compared byte by byte."""
