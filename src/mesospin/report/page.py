"""The report of a study: one HTML file that needs nothing else."""

import base64
import json
import platform
from collections.abc import Mapping
from html import escape
from importlib.metadata import version
from string import Template
from typing import Any, Final

import xarray as xr

from mesospin.model.study import Study
from mesospin.report.cells import Table
from mesospin.report.tables import tables

_PAGE: Final = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0.2rem; }
h2 { font-size: 1.15rem; margin-top: 2.2rem; border-bottom: 1px solid #ddd; }
figure { margin: 1.5rem 0; }
img { max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 0.8rem 0 0.3rem; }
th, td { padding: 0.15rem 0.9rem 0.15rem 0; text-align: right; white-space: nowrap; }
th { font-weight: 600; border-bottom: 1px solid #999; white-space: normal; vertical-align: bottom; }
td.text, th.text { text-align: left; vertical-align: top; }
.facts td + td { white-space: normal; overflow-wrap: anywhere; }
pre { background: #f5f5f5; padding: 0.8rem; white-space: pre-wrap; font-size: 0.85rem; line-height: 1.4; }
footer { margin-top: 3rem; color: #777; font-size: 0.85rem; }
</style>
</head>
<body>
<h1>$title</h1>
<p>$lead</p>
<figure><img alt="$alt" src="data:image/png;base64,$figure"></figure>
<h2>Numbers</h2>
$tables
<h2>System</h2>
<pre>$system</pre>
<h2>Inputs</h2>
$inputs
<h2>Where the numbers come from</h2>
<ul>
$sources
</ul>
<h2>How to rerun</h2>
<pre>$rerun</pre>
$study
<h2>How to cite</h2>
<p>mesospin $version, a package for the spin physics of magnetic molecules (its CITATION.cff has the full
entry), together with the sources listed above.</p>
<h2>Provenance</h2>
$provenance
<footer>Units: energies E/k_B in K, fields in T, moments in mu_B; splittings are full gaps;
H_Z = +mu_B B.g.S.</footer>
</body>
</html>
""")


def report_page(dataset: xr.Dataset, study: Study, figure_png: bytes) -> str:
    """Return the report of a study as one self-contained HTML text.

    Parameters
    ----------
    dataset : xarray.Dataset
        The result.
    study : Study
        What was asked.
    figure_png : bytes
        The figure.

    Returns
    -------
    str
    """
    name = study.path.name if study.path else f"{study.name}.toml"
    text = study.path.read_text(encoding="utf-8") if study.path and study.path.is_file() else ""
    known = json.loads(dataset.attrs.get("sources", "[]")) or ["no source is given with this system"]
    subject = (study.system.title or study.system.name) if study.system else study.title
    parts = {
        "title": escape(study.title),
        "lead": escape(f"{study.kind} of {subject}"),
        "alt": escape(f"Figure: {study.kind} of {subject}"),
        "figure": base64.b64encode(figure_png).decode("ascii"),
        "tables": "\n".join(_table(table) for table in tables(dataset)),
        "system": escape(study.system.describe() if study.system else _without_system(study)),
        "inputs": _facts(json.loads(dataset.attrs.get("inputs", "{}"))),
        "sources": "\n".join(f"<li>{escape(source)}</li>" for source in known),
        "rerun": escape(
            f"pip install mesospin=={dataset.attrs.get('mesospin_version', '')}\nmesospin run {name}"
        ),
        "study": f"<p>{escape(name)}:</p>\n<pre>{escape(text)}</pre>" if text else "",
        "version": escape(str(dataset.attrs.get("mesospin_version", ""))),
        "provenance": _facts(versions()),
    }
    return _PAGE.substitute(parts)


def _without_system(study: Study) -> str:
    return "No spins: measured data." if "file" in study.arguments else "The spins follow from the inputs."


def versions() -> dict[str, str]:
    """Return the versions of what took part in a computation."""
    packages = ("mesospin", "numpy", "scipy", "numba", "xarray")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def _table(table: Table) -> str:
    text = [all(isinstance(row[i], str) for row in table.rows) for i in range(len(table.columns))]
    heads = "".join(_cell("th", column.heading, text[i]) for i, column in enumerate(table.columns))
    rows = "\n".join(
        "<tr>"
        + "".join(
            _cell("td", column.text(entry), text[i])
            for i, (column, entry) in enumerate(zip(table.columns, row, strict=True))
        )
        + "</tr>"
        for row in table.rows
    )
    return (
        f'<div class="wide"><table><caption>{escape(table.title)}</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _cell(tag: str, content: str, is_text: bool) -> str:
    kind = ' class="text"' if is_text else ""
    return f"<{tag}{kind}>{escape(content)}</{tag}>"


def _facts(facts: Mapping[str, Any]) -> str:
    rows = "\n".join(
        f'<tr><td class="text">{escape(str(key))}</td><td class="text">{escape(_fact(value))}</td></tr>'
        for key, value in facts.items()
    )
    return f'<div class="wide"><table class="facts"><tbody>\n{rows}\n</tbody></table></div>'


def _fact(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else text[:297] + "..."
