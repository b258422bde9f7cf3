"""Floor 4: the stages of a cell in order, what they leave, and where it goes."""
