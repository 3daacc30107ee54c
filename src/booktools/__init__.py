"""Tools that check and build the book; not part of the `notes` package.

`fences` reads Markdown line by line and is used by everything else. The doc tests use `guard`,
`blocks`, `isolation`, `comparison`, `figures`, `refresh` and `plugin`; the site uses `notebook`,
`mathml` and `site_hooks`.
"""
