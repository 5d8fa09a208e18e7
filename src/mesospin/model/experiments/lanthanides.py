"""Experiments on ions in a crystal field: doublets with their g tensors, clock transitions."""

from collections.abc import Mapping

from mesospin.model.experiments.readers import DIRECTION, field_span, frequency, step
from mesospin.model.tables import Key, pair_of, read_integer, read_number

__all__ = ["LANTHANIDES"]

LANTHANIDES: Mapping[str, Mapping[str, Key]] = {
    "doublets": {"axis": DIRECTION["axis"], "count": Key(read_integer), "isolation": Key(read_number)},
    "clock-transitions": {
        "span": Key(field_span, required=True),
        "axis": DIRECTION["axis"],
        "states": Key(read_integer),
        "frequency": Key(pair_of(frequency, frequency)),
        "least_moment": Key(read_number),
        "step": Key(step),
    },
}
"""The keys of ``[experiment]`` by ``kind``."""
