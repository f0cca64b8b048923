"""Torch modules over ragged batches, usable on their own.

Torch's threads wait for their next work by spinning, and when another program wants the cores too,
every operation waits for a thread that spins: training then takes ten times as long and more. A
short spin costs nothing on a quiet machine. The OpenMP library reads the setting when torch is
loaded, so it is made here, before; whoever has chosen one keeps it.
"""

import os

if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
    os.environ["GOMP_SPINCOUNT"] = "20000"
