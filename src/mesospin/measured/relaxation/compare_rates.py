"""Several laws of relaxation on the same times, weighed against each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from mesospin.errors import InputError
from mesospin.measured.relaxation.fit_rates import fit_rates
from mesospin.measured.relaxation.processes import Process, RateLaw
from mesospin.results import account, variable

__all__ = ["compare_rates"]


def compare_rates(
    data: xr.Dataset,
    laws: Sequence[RateLaw | Process],
    *,
    errors: str = "both",
    time: str = "tau",
    starts: int = 60,
    seed: int = 0,
) -> xr.Dataset:
    """Fit several laws to the same relaxation times and weigh them by Akaike's criterion.

    Parameters
    ----------
    data, errors, time, starts, seed
        As for `fit_rates`.
    laws : sequence of RateLaw or Process

    Returns
    -------
    xarray.Dataset
        Kind "rate_comparison", by ``law``, best first: ``parameters`` (number), ``chi2``,
        ``reduced_chi2``, ``aic``, ``aicc``, ``bic``, ``weight`` (Akaike weight, from ``aicc``), ``verdict``.

    Raises
    ------
    InputError
        As `fit_rates`; fewer than two laws.

    References
    ----------
    K. P. Burnham and D. R. Anderson, Model Selection and Multimodel Inference (2002), section 2.9.

    Examples
    --------
    >>> import numpy as np
    >>> from mesospin.measured.relaxation.processes import Orbach, Raman
    >>> from mesospin.measured.relaxation.rate_data import rate_data
    >>> T = np.linspace(2, 12, 15)
    >>> tau = np.exp(0.01 * np.cos(9 * T)) / (1e8 * np.exp(-60 / T))
    >>> str(compare_rates(rate_data(T, tau), [Raman(), Orbach()]).law.values[0])
    'Orbach'
    """
    if len(laws) < 2:
        raise InputError(f"laws must be two or more to compare, got {len(laws)}; use fit_rates for one")
    fits = [fit_rates(data, law, errors=errors, time=time, starts=starts, seed=seed) for law in laws]
    aicc = np.array([float(fit["aicc"]) for fit in fits])
    order = np.argsort(np.where(np.isnan(aicc), np.inf, aicc), kind="stable")
    weight = (
        np.exp(-0.5 * (aicc - np.nanmin(aicc))) if np.any(np.isfinite(aicc)) else np.full(len(fits), np.nan)
    )
    weight = weight / np.nansum(weight)
    columns = {
        "parameters": ([int(fit["determined"].size) for fit in fits], "number of parameters"),
        **{
            name: ([float(fit[name]) for fit in fits], str(fits[0][name].attrs["long_name"]))
            for name in ("chi2", "reduced_chi2", "aic", "aicc", "bic")
        },
        "weight": (weight, "Akaike weight"),
        "verdict": ([fit.attrs["verdict"] for fit in fits], "what the data say"),
    }
    variables = {
        name: variable("law", np.array(values)[order], "1", text) for name, (values, text) in columns.items()
    }
    titles = np.array([fit.attrs["law"] for fit in fits])[order]
    inputs = {"errors": errors, "time": time, "starts": starts, "seed": seed}
    return account("rate_comparison", variables, {"law": ("law", titles)}, inputs)
