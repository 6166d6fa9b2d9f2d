"""How long writes pause on a real k3d, beside a plain manifest: `python -m tests.bench.failover` (make bench-live).
What TLS and the exporter cost, by itself: `--subjects components --parts costs`.
"""
