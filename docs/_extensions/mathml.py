"""Formulas as MathML, which browsers show without any script: the site works without a network."""

import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

LOG = logging.getLogger(__name__)
# What the converter does not know, in the words that it knows.
SPELLINGS = {
    r"\\dots\b": r"\\ldots",
    r"\\([td]?frac)\s*(\w)": r"\\\1{\2}",  # \frac12, \frac1{2}: the first argument without braces
    r"\\([td]?frac\{[^{}]*\})(\w)": r"\\\1{\2}",  # and the second
}


def converted(node: nodes.Element, *, as_block: bool) -> str:
    text = node.astext().strip()
    for pattern, known in SPELLINGS.items():
        text = re.sub(pattern, known, text)
    try:
        return tex2mathml(text, as_block=as_block)
    except MathError as error:
        LOG.warning("%s in formula: %s", error, text, location=node)
        return nodes.Text(text).astext()


def show_inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(converted(node, as_block=False))
    raise nodes.SkipNode


def show_block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math"))
    if node.get("number"):
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})</span>')
    self.body.append(converted(node, as_block=True))
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (show_inline, None), (show_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
