"""Controls of frameworks, and what the Records contribute to each."""
