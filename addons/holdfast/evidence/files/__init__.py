"""What stands in a package, file by file, and the zip around it."""
