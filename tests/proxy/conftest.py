"""mitmproxy's own addons use names that their libraries deprecate; ours must not, so only the import is silent."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import mitmproxy.addons  # noqa: F401 -- imported for its side effect
