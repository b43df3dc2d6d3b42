"""The command line ``mlda``, one module for each subcommand."""
