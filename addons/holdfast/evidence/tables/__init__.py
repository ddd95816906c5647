"""The eleven reports, and everything else that follows from the Records byte for byte."""
