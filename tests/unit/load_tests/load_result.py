"""What a load test of a minute hands to its page, with made-up figures: for tests of the page."""

from typing import Any

import numpy as np


def load_result(*, held: bool) -> dict[str, Any]:
    rng = np.random.default_rng(2)
    slow = 1.0 if held else 6.0
    series = []
    for second in range(60):
        stall = slow if 30 <= second < 38 else 1.0
        base = stall * float(rng.uniform(10, 14))
        series.append(
            {
                "second": second,
                "p50": base,
                "p95": base * 3,
                "p99": base * 4.2,
                "lag": round(400 * stall * base / 10),
                "sent": 20_000,
                "received": 20_000 + int(rng.integers(-200, 200)),
            }
        )
    p99 = 61.0 if held else 402.0
    return {
        "rate": 20_000,
        "seconds": 60,
        "events_sent": 1_200_000,
        "events_received": 1_200_000,
        "achieved_rate": 19_980.4,
        "latency_ms": {"p50": 12.1, "p95": 38.0, "p99": p99, "max": 512.0},
        "slo": [{"name": "p99", "limit": 250.0, "value": p99, "ok": held}],
        "series": series,
        "reproduce": {
            "command": "calmverse loadtest pipeline --rate 20000 --seconds 60 --slo p99=250ms",
            "seed": 7,
            "versions": {"calmverse": "0.1.0"},
        },
    }
