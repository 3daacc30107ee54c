"""How a page is read and rewritten: what the doc tests and the site share."""
