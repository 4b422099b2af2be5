"""The project's files, read strictly: the only room that knows YAML."""

from churnwatch.project.edit import parameters_yaml, set_parameters
from churnwatch.project.files import find_deployments, load_project

__all__ = ["find_deployments", "load_project", "parameters_yaml", "set_parameters"]
