"""One lock around netCDF files of a process with several threads.

The netCDF library is not safe for threads and netCDF4 lets others run while it is inside it: what a
page's background threads write while a bundle is opened would crash the server.
"""

from __future__ import annotations

import threading

# Reentrant: a writer may read a file on its way.
NETCDF = threading.RLock()
