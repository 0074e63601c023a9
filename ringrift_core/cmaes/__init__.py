"""CMA-ES on the weights of the linear heuristic."""
