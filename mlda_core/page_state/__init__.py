"""A state of the page as plain data: its settings, links and files, and what is made from them."""
