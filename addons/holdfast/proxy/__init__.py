"""The only package that imports mitmproxy: hooks translate, the gate decides."""
