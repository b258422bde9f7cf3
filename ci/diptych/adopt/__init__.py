"""Adopting a repository: what its files say, the table that follows from it, and the change that writes it.

``gather`` reads, ``plan`` decides, ``edit`` composes the new files, ``apply`` writes them. Nothing of the project is run
or imported.
"""
