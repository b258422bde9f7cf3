"""Floor 4: one table, many machines: the plan of all cells, the pieces they leave, the workflow that runs them."""
