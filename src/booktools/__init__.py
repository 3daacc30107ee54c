"""Tools that check and build the book; not part of the `notes` package.

`pages` reads Markdown: fences, the blocks that run with their outputs and figures, headings.
`doctests` is the pytest plugin: it guards every page, runs each block in a process of its own,
judges what it prints and draws, and writes new outputs on request. `site` is what MkDocs calls, and
the programs that make its parts.
"""
