"""What MkDocs calls while it builds the site, and the programs that make its parts."""
