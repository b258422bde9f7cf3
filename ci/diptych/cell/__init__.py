"""The stages of one cell in order, from its host environment to verified packages in ``dist/``."""
