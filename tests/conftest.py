"""What every test starts from: no test may depend on the machine's clock, zone or other work."""

import os
import time

os.environ["TZ"] = "UTC"
time.tzset()
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before LightGBM, which a test may import before the models
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
