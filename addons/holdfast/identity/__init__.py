"""Who asks: credentials to Callers, judged on every request."""
