"""The templates of pages: escaped always, and nothing left out without a word."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


@cache
def template(name: str) -> Template:
    """The template ``name`` of ``delivery/templates``; text it is given becomes no HTML, a missing value raises."""
    environment = Environment(
        loader=PackageLoader("churnwatch.delivery"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)
