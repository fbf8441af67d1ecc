"""How tests run: pytest's workers share the cores among themselves."""

import os

# Matrices are small, and threads of BLAS would get in the way of the other worker. numpy reads this
# when it is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
