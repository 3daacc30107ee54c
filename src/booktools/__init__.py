"""Tools that check and build the book; not part of the `notes` package.

`fences` reads Markdown line by line and is used by everything else. The doc tests read a page with
`blocks`, run each block in a process of its own with `isolation` and `sandbox` (which uses
`network` and `randomness`), judge it in `verification` with `comparison` and `figures`, and write
new outputs with `refresh`. `guard` checks the pages themselves; `plugin` and `recorder` tie it all
to pytest.
The site uses `notebook`, `mathml` and `site_hooks`.
"""
