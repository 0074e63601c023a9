"""The steps of an iteration and the recipe of each track, as data. A new track is a module here and its line below."""

from ringrift_operator.domain.recipes.network import NETWORK
from ringrift_operator.domain.recipes.nnue import NNUE
from ringrift_operator.domain.recipes.table import Recipes
from ringrift_operator.domain.recipes.weights import WEIGHTS

__all__ = ["SHIPPED", "Recipes"]

SHIPPED = Recipes((WEIGHTS, NNUE, NETWORK))
"""What can be trained today."""
