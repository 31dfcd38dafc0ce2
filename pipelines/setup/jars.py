"""Fetches the connector jars that Spark does not ship, checks them and puts them beside Spark's own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from common.errors import ConfigurationError, InputError

_TRIES = 4
_PAUSE_SECONDS = 3.0


def read_pins(path: Path) -> dict[str, str]:
    """The pinned jars of a file in sha256sum's form, as file name → sha256.

    Raises:
        ConfigurationError: If a line is not a checksum and a name.
    """
    pins: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        match line.split():
            case [checksum, name] if len(checksum) == hashlib.sha256().digest_size * 2:
                pins[name] = checksum
            case _:
                raise ConfigurationError("not a checksum and a file name", where=f"{path}:{number}")
    return pins


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def wrong_or_missing(pins: Mapping[str, str], directory: Path) -> list[str]:
    """The pinned jars that a directory lacks or holds with other bytes, sorted."""
    return sorted(
        name
        for name, checksum in pins.items()
        if not (directory / name).is_file() or sha256_of(directory / name) != checksum
    )


def stale_versions(pins: Mapping[str, str], directory: Path) -> list[Path]:
    """Jars of a pinned artifact in another version: two of them on one class path break Spark."""
    artifacts = {artifact_of(name) for name in pins}
    return sorted(jar for jar in directory.glob("*.jar") if jar.name not in pins and artifact_of(jar.name) in artifacts)


def artifact_of(jar_name: str) -> str:
    """The artifact of a jar's file name: `delta-spark_4.2_2.13` of `delta-spark_4.2_2.13-4.4.0.jar`.

    The Spark and Scala suffixes are cut off too, as jars for two Scala versions clash as well.
    """
    artifact, _, _ = jar_name.removesuffix(".jar").rpartition("-")
    return artifact.split("_")[0]


def install(spark_home: Path, conf: Path, java_home: Path, cache: Path) -> int:
    """Puts each pinned jar into `spark_home/jars`, from the cache or else from Maven Central.

    Returns:
        How many jars had to be put there.

    Raises:
        InputError: If a jar cannot be had, or has not the pinned bytes.
    """
    pins = read_pins(conf / "jars.sha256")
    target = spark_home / "jars"
    for stale in stale_versions(pins, target):
        stale.unlink()
    wanted = wrong_or_missing(pins, target)
    if not wanted:
        return 0
    cache.mkdir(parents=True, exist_ok=True)
    uncached = [name for name in wanted if name in wrong_or_missing(pins, cache)]
    if uncached:
        _fetch({name: pins[name] for name in uncached}, spark_home, conf, java_home, cache)
    for name in wanted:
        _copy_atomically(cache / name, target / name)
    return len(wanted)


def _fetch(pins: Mapping[str, str], spark_home: Path, conf: Path, java_home: Path, cache: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache) as work:
        fetched = Path(work, "jars")
        output = ""
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_PAUSE_SECONDS * attempt)
            output = _run_ivy(spark_home, conf, java_home, Path(work))
            if all((fetched / name).is_file() for name in pins):
                break
        missing = sorted(name for name in pins if not (fetched / name).is_file())
        if missing:
            raise InputError(
                f"could not fetch {', '.join(missing)} from Maven Central after {_TRIES} tries: {_last_words(output)}",
                where=str(conf / "ivy.xml"),
                remedy="check the network and the proxy and repeat",
            )
        wrong = wrong_or_missing(pins, fetched)
        if wrong:
            raise InputError(
                f"fetched other bytes than pinned: {', '.join(wrong)}",
                where=str(conf / "jars.sha256"),
                remedy="find out who changed them before trusting them",
            )
        for name in pins:
            _copy_atomically(fetched / name, cache / name)


def _run_ivy(spark_home: Path, conf: Path, java_home: Path, work: Path) -> str:
    done = subprocess.run(
        [
            *(java_home / "bin" / "java", f"-Duser.home={work}", "-cp", f"{spark_home}/jars/*"),
            *("org.apache.ivy.Main", "-warn", "-settings", conf / "ivysettings.xml", "-ivy", conf / "ivy.xml"),
            *("-cache", work / "ivy", "-confs", "default"),
            *("-retrieve", f"{work}/jars/[artifact]-[revision].[ext]"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def _last_words(output: str) -> str:
    told = [line.strip() for line in output.splitlines() if line.strip(" .\t:-=") and "kB)" not in line]
    return "; ".join(told[-3:]) or "no message"


def _copy_atomically(source: Path, target: Path) -> None:
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(source, beside)
    beside.replace(target)
