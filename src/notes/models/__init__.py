"""The networks of the book, one file each."""
