"""A run's folder as the demo leaves it, with made-up figures of the right size: for tests of the pages."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

WORLDS = ("social", "learning", "work", "gaming", "medical")
FIRST_TICK = 29_889_600 - 29_889_600 % 1440


def write_run(run_dir: Path, summary: dict[str, Any], *, ticks: int = 1440) -> Path:
    """Write a run's files without its lake and spans."""
    run_dir.mkdir(parents=True, exist_ok=True)
    (run_dir / "summary.json").write_text(json.dumps(summary))
    (run_dir / "quality.json").write_text(json.dumps(quality()))
    versions = {"calmverse": "0.1.0", "ray": "2.60.0", "torch": "2.15.0"}
    (run_dir / "environment.json").write_text(json.dumps({"python": "3.11.2", "cores": 2, "versions": versions}))
    series(ticks).write_parquet(run_dir / "series.parquet")
    return run_dir


def summary() -> dict[str, Any]:
    """A whole, healthy run whose policy helps."""
    return {
        "run_id": "demo-7-20261114-092104-a3f1",
        "scenario": "demo",
        "seed": 7,
        "people": 5000,
        "days": 1,
        "ticks": 1440,
        "ticks_planned": 1440,
        "warmup": {"events": 1_301_552, "ticks": 2880},
        "worlds": {"social": 201_220, "learning": 121_010, "work": 160_551, "gaming": 98_001, "medical": 31_626},
        "events_emitted": 612_408,
        "events_scored": 612_408,
        "events_lost": 0,
        "events_duplicated": 0,
        "dead_letters": 0,
        "decisions": 48_120,
        "interventions_applied": 3_894,
        "interventions_refused": {"expired": 12},
        "restarts": {},
        "policy": "threshold(level=0.4)",
        "model": {"version": "m-7c1e02", "heads": _heads()},
        "effect": {"metric": "focus_minutes", "difference": 3.1, "ci_low": 1.2, "ci_high": 5.0, "twin": 211.1},
        "metrics": _metrics(),
        "latency_ms": {"p50": 61.2, "p95": 140.7, "p99": 310.0, "max": 1310.4},
        "decisions_by_action": {"NONE": 44_226, "FOCUS_TRAINING": 2_410, "REFLECTION": 901, "BREATHING": 583},
        "decisions_by_reason": {"OPEN": 17_204, "COOL_DOWN": 22_010, "DAILY_CAP": 5_202, "QUIET_HOURS": 3_704},
        "hops": _hops(),
        "slowest_traces": _traces(),
        "trace": {"spans": 80_211, "dropped": 0, "complete_fraction": 0.9995},
        "phases_s": {"warm_up": 48.0, "train": 61.2, "deploy": 9.1, "run": 88.0, "twin": 11.4, "audit": 3.0},
        "digest": "9c0f6e8f3b2d4f51a7781be0f2c3d9aa",
        "broker": {"kind": "embedded", "version": "0.6.0"},
        "wall_s": 221.0,
        "reproduce": {"command": "calmverse run demo --seed 7"},
    }


def partial_summary() -> dict[str, Any]:
    """What a run that was stopped during its loop can still say."""
    kept = ("run_id", "scenario", "seed", "people", "days", "policy", "worlds", "events_emitted", "reproduce")
    return {key: summary()[key] for key in kept} | {"ticks": 812, "ticks_planned": 1440, "partial": True}


def quality() -> dict[str, Any]:
    """Calibration and paired gains of two heads."""
    rng = np.random.default_rng(3)

    def head(top: float, gain: tuple[float, float, float]) -> dict[str, Any]:
        predicted = [top * (step + 0.5) / 10 for step in range(10)]
        return {
            "people": 1000,
            "difference_to_logistic": dict(zip(("mean", "ci_low", "ci_high"), gain, strict=True)),
            "calibration": [
                {"predicted": p, "observed": max(0.0, p + float(rng.normal(0, 0.006))), "count": 3000}
                for p in predicted
            ],
        }

    return {"heads": {"interaction": head(0.9, (0.0178, 0.0151, 0.0204)), "lapse": head(0.4, (0.003, -0.001, 0.007))}}


def series(ticks: int) -> pl.DataFrame:
    """Both arms, every tick and world, focus higher in the run."""
    rng = np.random.default_rng(5)
    tick = np.arange(ticks)
    frames = []
    for arm, lift in (("run", 0.012), ("twin", 0.0)):
        for index, world in enumerate(WORLDS):
            day = np.sin((tick / 60 - 8 - index) / 24 * 2 * np.pi)
            people = np.round(200 + 150 * day).astype(np.int64)
            frames.append(
                pl.DataFrame(
                    {
                        "arm": [arm] * ticks,
                        "tick": FIRST_TICK + tick,
                        "world": [world] * ticks,
                        "people": people,
                        "focus_mean": 0.55 + lift * (index + 1) / 3 + 0.12 * day + rng.normal(0, 0.01, ticks),
                        "stress_mean": 0.4 - 0.05 * day,
                        "mood_mean": 0.1 + 0.05 * day,
                        "events": rng.poisson(people * 0.3),
                    }
                )
            )
    return pl.concat(frames)


def _heads() -> dict[str, Any]:
    keys = ("auc", "log_loss", "base_log_loss", "logistic_log_loss", "latent_oracle_log_loss")
    interaction, lapse = (0.742, 0.5133, 0.6012, 0.5311, 0.4988), (0.701, 0.3981, 0.4210, 0.4011, 0.3702)
    return {
        "interaction": dict(zip(keys, interaction, strict=True)),
        "lapse": dict(zip(keys, lapse, strict=True)),
    }


def _metrics() -> dict[str, Any]:
    rows = {
        "focus_minutes": (214.2, 211.1, 3.1, 1.2, 5.0),
        "lapse_rate": (0.2011, 0.2087, -0.0076, -0.0121, -0.0031),
        "mood": (0.112, 0.109, 0.003, -0.001, 0.007),
        "stress": (0.412, 0.415, -0.003, -0.009, 0.003),
        "errors": (1.92, 1.95, -0.03, -0.11, 0.05),
        "reaction_ms": (331.0, 333.8, -2.8, -4.4, -1.2),
        "answers": (41.2, 42.1, -0.9, -1.5, -0.3),
        "offers": (0.91, 0.0, 0.91, 0.88, 0.94),
        "practice_minutes": (6.4, 0.0, 6.4, 6.1, 6.7),
    }
    keys = ("run", "twin", "difference", "ci_low", "ci_high")
    return {name: dict(zip(keys, row, strict=True)) for name, row in rows.items()}


def _hops() -> dict[str, Any]:
    rows = {
        "send events (simulation)": (2.1, 4.4, 9.0, 21.0, 5760),
        "send events → process events": (3.0, 8.2, 14.0, 30.0, 5760),
        "process events (monitor)": (26.0, 61.0, 120.0, 480.0, 5760),
        "forward (serve)": (18.0, 31.0, 64.0, 410.0, 1440),
        "send scores → process scores": (2.7, 7.9, 13.0, 44.0, 5760),
        "process scores (interventions)": (6.1, 11.0, 19.0, 80.0, 5760),
        "apply command (simulation)": (0.4, 1.1, 2.0, 5.1, 3894),
    }
    return {name: dict(zip(("p50", "p95", "p99", "max", "count"), row, strict=True)) for name, row in rows.items()}


def _traces() -> list[list[dict[str, Any]]]:
    def trace(scale: float) -> list[dict[str, Any]]:
        rows = (
            ("send events", "simulation", 0.0, 8.0, 0),
            ("process events", "monitor", 15.0, 1100.0, 1),
            ("forward", "serve", 22.0, 1068.0, 2),
            ("send scores", "monitor", 1116.0, 4.0, 2),
            ("process scores", "interventions", 1130.0, 60.0, 3),
            ("send interventions", "interventions", 1191.0, 3.0, 4),
            ("apply command", "simulation", 1300.0, 0.4, 5),
        )
        return [
            {"name": n, "service": s, "start_ms": a * scale, "duration_ms": d * scale, "depth": k}
            for n, s, a, d, k in rows
        ]

    return [trace(1.0), trace(0.61), trace(0.55)]


def comparison() -> dict[str, Any]:
    """Three policies on four seeds: threshold helps, random cannot be told from never."""
    rng = np.random.default_rng(11)
    metrics = {
        "focus_minutes": {"unit": "min a day", "better": "higher"},
        "lapse_rate": {"unit": "share", "better": "lower"},
        "offers": {"unit": "a day", "better": "lower"},
    }
    means = {"focus_minutes": (211, 212, 214.2), "lapse_rate": (0.209, 0.206, 0.201), "offers": (0, 2.1, 0.9)}
    policies, seeds = ("never", "random", "threshold"), (1, 2, 3, 4)
    spread = {"focus_minutes": 0.9, "lapse_rate": 0.002, "offers": 0.0}
    values = [
        {"policy": policy, "seed": seed, "metric": metric, "value": means[metric][i] + float(rng.normal(0, width))}
        for metric, width in spread.items()
        for i, policy in enumerate(policies)
        for seed in seeds
    ]
    rows = {
        ("random", "focus_minutes"): (1.0, -0.4, 2.4),
        ("threshold", "focus_minutes"): (3.2, 1.9, 4.5),
        ("random", "lapse_rate"): (-0.003, -0.007, 0.001),
        ("threshold", "lapse_rate"): (-0.008, -0.012, -0.004),
        ("random", "offers"): (2.1, 2.0, 2.2),
        ("threshold", "offers"): (0.9, 0.86, 0.94),
    }
    differences = [
        {"policy": p, "baseline": "never", "metric": m, "difference": d, "ci_low": low, "ci_high": high}
        for (p, m), (d, low, high) in rows.items()
    ]
    return {
        "policies": list(policies),
        "seeds": list(seeds),
        "metrics": metrics,
        "values": values,
        "differences": differences,
        "scenario": "demo",
        "people": 500,
        "reproduce": {"command": "calmverse compare --policies never,random,threshold --seeds 4"},
    }
