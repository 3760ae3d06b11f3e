"""Reads a CSV file with pandas. Prints one line of JSON; nothing but {} when pandas is not installed."""
import json
import resource
import sys
import time

try:
    import pandas
except ImportError:
    print("{}")
    sys.exit(0)

started = time.perf_counter()
bars = pandas.read_csv(sys.argv[1], parse_dates=["timestamp"])
elapsed_ms = (time.perf_counter() - started) * 1000
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"rows": len(bars), "ms": elapsed_ms, "peak_mb": peak_mb, "version": pandas.__version__}))
