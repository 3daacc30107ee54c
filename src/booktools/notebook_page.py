def tidy_notebook_page(html: str) -> str:
    return html
