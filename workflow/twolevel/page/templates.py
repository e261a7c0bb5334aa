"""Templates filled with numbers.

Templates are Jinja with delimiters that Quarto's syntax does not use: `<< value >>`,
`<% statement %>`, `<# comment #>`. A value that is plain text is escaped for Markdown, whatever it
holds, unless a filter has made it Markdown, mathematics or an attribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from twolevel.text.markdown import (
    Markdown,
    attribute,
    begins,
    code,
    code_block,
    counted,
    data_block,
    escape,
    in_html,
    num,
    p_in_table,
    p_value,
    plus_minus,
    quoted,
    simulated_p,
    tex,
    words,
)


def fill(template: str | Path, context: Mapping[str, Any]) -> str:
    """Fill a template. Raises jinja2's UndefinedError for a name the context lacks."""
    path = Path(template)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(path.parent),
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: value if isinstance(value, Markdown) else escape(value),
    )
    environment.filters.update(
        num=num,
        tex=tex,
        p=p_value,
        p_cell=p_in_table,
        pm=plus_minus,
        simulated_p=simulated_p,
        counted=counted,
        begins=begins,
        words=words,
        text=escape,
        attr=attribute,
        code=code,
        code_block=code_block,
        html=in_html,
        yaml=quoted,
        md=Markdown,
        data=data_block,
    )
    return environment.get_template(path.name).render(context)
