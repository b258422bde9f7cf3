"""One table, many machines: the plan of all cells, and the pieces that they leave, put together again."""
