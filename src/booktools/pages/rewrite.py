"""Pages of which a program writes a part: a table of measurements, or the numbers of a plot."""


def replace_between(page: str, begin: str, end: str, text: str) -> str:
    """Exchange what stands between two marks of a page; the marks stay.

    Args:
        page: The text of the page.
        begin: Where the part begins; the first place in the page counts.
        end: Where it ends; the first place after `begin` counts.
        text: What stands there afterwards.

    Raises:
        ValueError: If the page does not hold the two marks in this order.

    Examples:
        >>> replace_between("a [old] b", "[", "]", "new")
        'a [new] b'
    """
    before, found_begin, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"page must hold {begin!r} and then {end!r}, got neither or only one")
    return f"{before}{begin}{text}{end}{after}"
