"""Networks: torch modules, their options and their weights; they know no data and no training."""
