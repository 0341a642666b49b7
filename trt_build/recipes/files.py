"""Finds recipes by name and reads them from YAML; errors name the key and the line."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec
import yaml

from engine.config.errors import explain, key_that_stands_twice
from engine.shipped import shipped
from trt_build.errors import RecipeError
from trt_build.recipes.data_folder import with_data_folder

AnyRecipe = TypeVar("AnyRecipe", bound=msgspec.Struct)


def read_recipe_of(kind: type[AnyRecipe], path: Path) -> AnyRecipe:
    """Read and check a recipe; any mistake is a `RecipeError` that names the key and its line."""
    try:
        text = with_data_folder(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"The recipe '{path}' cannot be read: {error}") from None
    try:
        twice = key_that_stands_twice(text)
        recipe = msgspec.yaml.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise RecipeError(explain(str(error), kind, path, text)) from None
    except (msgspec.DecodeError, yaml.YAMLError) as error:
        raise RecipeError(f"The recipe '{path}' is not YAML: {error}") from None
    if twice:
        raise RecipeError(f"{path}, line {twice[1]}: {twice[0]}: this key appears twice.")
    return recipe


def find_recipe(name: str) -> Path:
    """Return the path of a recipe given by path or name: one that ships, or one in `configs/train` of the working folder."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return path
    folders = [shipped("train"), Path("configs/train")]
    for folder in folders:
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    known = sorted({found.stem for folder in folders for found in folder.glob("*.yaml")})
    raise RecipeError(f"There is no recipe '{name}' (known: {', '.join(known) or 'none'}).")
