"""What is installed with facestream, under which licences, and as a bill of materials."""

from engine.licences.installed import Component, components
from engine.licences.sbom import bill_of_materials

__all__ = ["Component", "bill_of_materials", "components"]
