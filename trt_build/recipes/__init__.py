"""Recipes: values alone, read from YAML; an unknown key is an error."""
