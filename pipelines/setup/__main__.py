"""`python -m pipelines.setup`: the part of set-up behind the Python environment. Called by build.sh."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.errors import ConfigurationError, PlatformError
from pipelines.setup import jars, java, spark_files, token_key

PROJECT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Runs each step; on standard error a line a step with its time. Returns the exit code."""
    # Not sys.prefix through symlinks: the wrappers name the environment by the path that the user sees.
    venv = Path(sys.prefix)
    conf = PROJECT / "conf" / "spark"
    try:
        with _step("Java") as told:
            found = java.find_or_install(os.environ)
            told.append(f"{found.major} in {found.home}")
        spark_home = _spark_home()
        with _step("connector jars") as told:
            added = jars.install(spark_home, conf, found.home, _cache(venv) / "jars")
            told.append(f"{added} put in place" if added else "in place")
        with _step("token key") as told:
            key, is_new = token_key.place_key(os.environ, venv)
            told.append(f"{'made' if is_new else 'in place'}, {key}")
        with _step("Spark's files") as told:
            changed = spark_files.write_spark_files(
                conf=conf,
                venv=venv,
                spark_home=spark_home,
                java_home=found.home,
                token_key_file=key,
                memory=spark_files.total_memory(),
            )
            told.append(", ".join(changed) if changed else "in place")
    except PlatformError as error:
        sys.stderr.write(f"set-up: {error}\n")
        return int(error.exit_code)
    return 0


@contextmanager
def _step(name: str) -> Iterator[list[str]]:
    started = time.monotonic()
    told: list[str] = []
    yield told
    sys.stderr.write(f"set-up: {name:<15} {time.monotonic() - started:5.1f} s  {'; '.join(told)}\n")


def _spark_home() -> Path:
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise ConfigurationError("pyspark is not installed", where=sys.prefix, remedy="remove .venv and repeat")
    return Path(spec.origin).parent


def _cache(venv: Path) -> Path:
    """The user's cache, or one inside the environment where there is no home to write in."""
    home = os.environ.get("XDG_CACHE_HOME") or (f"{os.environ['HOME']}/.cache" if os.environ.get("HOME") else "")
    if home:
        directory = Path(home, "ecommerce-platform")
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError:
            return venv / "cache"
        if os.access(directory, os.W_OK):
            return directory
    return venv / "cache"


if __name__ == "__main__":
    sys.exit(main())
