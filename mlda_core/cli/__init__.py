"""The command ``mlda``: one module a subcommand."""
