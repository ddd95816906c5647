"""What the benchmark needs: a server too fast to matter, a load generator, two proxies, and arithmetic."""
