"""Writes what Spark reads at its start: defaults, logging, environment, and launchers that need no variable."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

_GIB = 1024**3
_MAX_DRIVER_GIB = 4
# The launchers of pip's pyspark find Spark through the first python3 on PATH, which need not be this environment's.
_LAUNCHERS = ("spark-submit", "spark-sql", "spark-shell", "spark-class", "pyspark", "beeline")
_ENVIRONMENT = """\
# Written by set-up. Sourced by build.sh and by the Spark launchers of this environment.
export JAVA_HOME={java_home}
export SPARK_HOME={spark_home}
export SPARK_CONF_DIR={spark_home}/conf
export PYSPARK_PYTHON={python}
export PYSPARK_DRIVER_PYTHON={python}
export SPARK_LOCAL_IP="${{SPARK_LOCAL_IP:-127.0.0.1}}"
: "${{ECOMMERCE_TOKEN_KEY_FILE:={token_key_file}}}"
export ECOMMERCE_TOKEN_KEY_FILE
# Where Python is told to leave no bytecode beside its sources, as in many containers, what it compiles is kept here:
# otherwise each process compiles Great Expectations, pandas and all the others anew, which takes seconds.
if [ -n "${{PYTHONDONTWRITEBYTECODE:-}}" ]; then
  unset PYTHONDONTWRITEBYTECODE
  : "${{PYTHONPYCACHEPREFIX:={bytecode}}}"
  export PYTHONPYCACHEPREFIX
fi
"""
_SPARK_ENV = """\
# Written by set-up: the same for a session that Python starts without a launcher.
JAVA_HOME={java_home}
SPARK_LOCAL_IP="${{SPARK_LOCAL_IP:-127.0.0.1}}"
"""
_LAUNCHER = """\
#!/usr/bin/env bash
# Written by set-up: names this environment's Java, Spark and Python, then runs Spark's own {name}.
. {environment_file} || exit
exec "$SPARK_HOME/bin/{name}" "$@"
"""


def driver_memory(total_bytes: int) -> str:
    """The driver's heap for a machine: half of its memory, between 1 and 4 GiB, in Spark's notation."""
    mebibytes = max(1024, min(_MAX_DRIVER_GIB * 1024, total_bytes // 2 // 1024**2))
    return f"{mebibytes}m" if mebibytes % 1024 else f"{mebibytes // 1024}g"


def total_memory() -> int:
    """The machine's memory in bytes, or the container's limit where that is lower."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(limit).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, int(text))
    return total


def render(template: str, memory: int) -> str:
    """A template of conf/spark with what depends on the machine filled in."""
    return template.replace("@DRIVER_MEMORY@", driver_memory(memory))


def write_spark_files(  # noqa: PLR0913 - one call, each argument by its name
    *, conf: Path, venv: Path, spark_home: Path, java_home: Path, token_key_file: Path, memory: int
) -> list[str]:
    """Writes defaults, logging, environment and launchers.

    Args:
        conf: The directory conf/spark.
        venv: The virtual environment.
        spark_home: The directory of the installed pyspark.
        java_home: The Java to use.
        token_key_file: Where the token key is.
        memory: The machine's memory in bytes.

    Returns:
        The names of the files that changed.
    """
    python = venv / "bin" / "python"
    quoted = {
        "java_home": shlex.quote(str(java_home)),
        "spark_home": shlex.quote(str(spark_home)),
        "python": shlex.quote(str(python)),
        "token_key_file": str(token_key_file),
        "bytecode": str(venv / "cache" / "bytecode"),
    }
    environment_file = venv / "platform.env"
    changed = [
        _write(spark_home / "conf" / name, render((conf / name).read_text(encoding="utf-8"), memory))
        for name in ("spark-defaults.conf", "log4j2.properties")
    ]
    changed.append(_write(environment_file, _ENVIRONMENT.format(**quoted)))
    # Spark sources this file without quoting its path, so a path with a space would only make noise.
    if " " not in str(spark_home):
        changed.append(_write(spark_home / "conf" / "spark-env.sh", _SPARK_ENV.format(**quoted)))
    for name in _LAUNCHERS:
        text = _LAUNCHER.format(name=name, environment_file=shlex.quote(str(environment_file)))
        changed.append(_write(venv / "bin" / name, text, executable=True))
    return [name for name in changed if name]


def _write(path: Path, text: str, *, executable: bool = False) -> str:
    if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == text:
        return ""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside and renamed: the installer hard-links files into its cache, which must not be written through.
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    mode = stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH
    beside.chmod(mode | (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH if executable else 0))
    beside.replace(path)
    return path.name
