"""A bundle as a page without a server: a folder of static files for any web host.

The visitor's own browser decodes latent vectors and assimilates observations; the numbers are those
of Python (tests compare them), the maps those of :mod:`mlda_core.plotting`.
"""

from mlda_core.plotting.site.export import Exported, export_site, months_for_site

__all__ = ["Exported", "export_site", "months_for_site"]
