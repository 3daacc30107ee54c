"""The root conftest: pytest takes command-line options from plugins named here."""

pytest_plugins = ["booktools.doctests.plugin"]
