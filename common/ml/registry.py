"""Models in MLflow: runs with their figures, versions, and the alias of the one that is in use.

Embedded, the registry is a SQLite file under models/ of the root, and each experiment keeps its artifacts under
models/<name>. With `ml.tracking_uri` it is a server, which decides itself where artifacts are.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame

from common.errors import ConfigurationError, InputError, PlatformError
from common.layout import Layout
from common.settings import MlSettings

log = logging.getLogger("ecommerce")
PROMOTED = "promoted"
_REQUIREMENTS = ("pyspark", "mlflow")
_TRACKING = ("models", "mlflow.db")


@dataclass(frozen=True)
class Trained:
    """A run of training, as it is kept.

    Attributes:
        params: What it was done with.
        metrics: Figures on the test set; one that could not be measured is left out.
        tags: What scoring needs beside the model, and where the data came from.
        trials: What the search tried, each with its score.
        documents: Further JSON, by file name.
    """

    params: Mapping[str, object]
    metrics: Mapping[str, float | None]
    tags: Mapping[str, str] = field(default_factory=dict)
    trials: Sequence[Mapping[str, object]] = ()
    documents: Mapping[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluated:
    """What a version was found to be worth after its training.

    Attributes:
        metrics: Figures on the test set; one that could not be measured is left out.
        tags: Of what it was measured on.
        documents: JSON, by file name.
    """

    metrics: Mapping[str, float | None]
    tags: Mapping[str, str]
    documents: Mapping[str, dict[str, Any]]


@dataclass(frozen=True)
class Version:
    """A registered model.

    Attributes:
        name: Of the registered model.
        number: Its version.
        run_id: MLflow's run that made it.
        metrics: Of that run.
        tags: Of the version.
    """

    name: str
    number: str
    run_id: str
    metrics: Mapping[str, float]
    tags: Mapping[str, str]

    @property
    def uri(self) -> str:
        """How MLflow names it."""
        return f"models:/{self.name}/{self.number}"


class Registry:
    """The registry of a root, opened when it is first asked."""

    def __init__(self, layout: Layout, settings: MlSettings) -> None:
        """Prepare; MLflow, which takes seconds to load and to open, is loaded later.

        Raises:
            ConfigurationError: If the root is remote and no server is named.
        """
        if not layout.is_local and settings.tracking_uri is None:
            raise ConfigurationError(
                "a remote root needs an MLflow server", where="ml.tracking_uri", remedy="name one in --conf"
            )
        self._layout = layout
        self._embedded = layout.local(*_TRACKING) if settings.tracking_uri is None else None
        self._uri = settings.tracking_uri or f"sqlite:///{self._embedded}"
        self._client: Any = None

    def promoted(self, name: str) -> Version | None:
        """The version in use, or None where there is none yet.

        Raises:
            InputError: If the registry cannot be asked.
        """
        if self._embedded is not None and not self._embedded.is_file():
            return None
        with self._asked() as client:
            if not client.search_registered_models(filter_string=f"name = '{name}'"):
                return None
            aliases = client.get_registered_model(name).aliases
            if PROMOTED not in aliases:
                return None
            version = client.get_model_version(name, aliases[PROMOTED])
            metrics = dict(client.get_run(version.run_id).data.metrics)
            return Version(name, str(version.version), version.run_id, metrics, dict(version.tags))

    def require_promoted(self, name: str, job: str) -> Version:
        """The version in use.

        Raises:
            InputError: If there is none, or the registry cannot be asked.
        """
        version = self.promoted(name)
        if version is None:
            raise InputError(
                f"no model '{name}' is promoted", where=self._uri, remedy=f"run jobs/{job}.py --train first"
            )
        return version

    def register(self, name: str, model: PipelineModel, example: DataFrame, trained: Trained) -> Version:
        """Log a run with its model, and register the model as a new version, which is not in use yet.

        Args:
            name: Of experiment and registered model.
            model: From the example's columns to `prediction`.
            example: A few rows of input.
            trained: The run.

        Raises:
            InputError: If the registry cannot be asked.
        """
        with self._asked() as client:
            import mlflow  # noqa: PLC0415 - loading it takes seconds
            from mlflow.models import infer_signature  # noqa: PLC0415 - loading it takes seconds

            rows = example.toPandas()
            outputs = model.transform(example).select("prediction").toPandas()
            metrics = _known(trained.metrics)
            with mlflow.start_run(experiment_id=self._experiment(client, name)) as run:
                mlflow.log_params(dict(trained.params))
                mlflow.log_metrics(metrics)
                mlflow.set_tags(dict(trained.tags))
                for number, trial in enumerate(trained.trials):
                    mlflow.log_dict(dict(trial), f"search/trial_{number}.json")
                for file, document in trained.documents.items():
                    mlflow.log_dict(document, file)
                logged = mlflow.spark.log_model(
                    model,
                    "model",
                    dfs_tmpdir=self._scratch(name),
                    signature=infer_signature(rows, outputs),
                    input_example=rows,
                    pip_requirements=list(_REQUIREMENTS),
                )
            if not client.search_registered_models(filter_string=f"name = '{name}'"):
                client.create_registered_model(name)
            version = client.create_model_version(
                name, logged.model_uri, run.info.run_id, tags=dict(trained.tags), model_id=logged.model_id
            )
        self._remove_scratch(name)
        return Version(name, str(version.version), run.info.run_id, metrics, dict(trained.tags))

    def log_evaluation(self, version: Version, evaluated: Evaluated) -> str:
        """Log a later evaluation of a version as a run of its own, below the run that trained it.

        What training measured stays as it was: MLflow overwrites a figure of a run that is logged again.

        Returns:
            The id of the run.

        Raises:
            InputError: If the registry cannot be asked.
        """
        with self._asked() as client:
            import mlflow  # noqa: PLC0415 - loading it takes seconds

            with mlflow.start_run(
                experiment_id=self._experiment(client, version.name),
                run_name=f"evaluation of version {version.number}",
                parent_run_id=version.run_id,
                tags={**evaluated.tags, "model_version": version.number},
            ) as run:
                mlflow.log_metrics(_known(evaluated.metrics))
                for file, document in evaluated.documents.items():
                    mlflow.log_dict(document, file)
            return str(run.info.run_id)

    def promote(self, version: Version) -> None:
        """Put a version into use."""
        with self._asked() as client:
            client.set_registered_model_alias(version.name, PROMOTED, version.number)

    def load(self, version: Version) -> PipelineModel:
        """The model of a version.

        Raises:
            InputError: If its files are gone or damaged.
        """
        try:
            with self._asked():
                import mlflow  # noqa: PLC0415 - loading it takes seconds

                loaded = mlflow.spark.load_model(version.uri, dfs_tmpdir=self._scratch(version.name))
        except InputError:
            raise
        except Exception as error:
            raise InputError(
                f"version {version.number} of the model '{version.name}' cannot be loaded: {_first_line(error)}",
                where=self._layout.path("models", version.name),
                remedy=f"restore its files, or train anew with jobs/train_{version.name}.py --train",
            ) from error
        model: PipelineModel = loaded
        return model

    def _experiment(self, client: Any, name: str) -> str:  # noqa: ANN401 - MLflow is loaded late
        found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        location = None if self._embedded is None else self._layout.local("models", name).as_uri()
        return str(client.create_experiment(name, artifact_location=location))

    @contextlib.contextmanager
    def _asked(self) -> Iterator[Any]:
        """The client; a failure of the store or the server becomes one line."""
        try:
            with _quiet():
                if self._client is None:
                    self._client = _open(self._uri, self._embedded)
                yield self._client
        except PlatformError:
            raise
        except Exception as error:
            if not type(error).__module__.startswith(("mlflow", "sqlalchemy", "sqlite3", "requests", "urllib3")):
                raise
            raise InputError(
                f"the model registry does not answer: {_first_line(error)}",
                where=self._uri,
                remedy="start or restore it, or remove its file and train anew",
            ) from error

    def _scratch(self, name: str) -> str:
        """Where MLflow puts models on their way; stages that work at the same time have one each."""
        return self._layout.path("models", f".mlflow-{name}")

    def _remove_scratch(self, name: str) -> None:
        if self._layout.is_local:
            shutil.rmtree(self._layout.local("models", f".mlflow-{name}"), ignore_errors=True)


def load_mlflow() -> None:
    """Import the library, which takes seconds: a stage does it while Spark keeps it waiting."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import mlflow.spark  # noqa: F401, PLC0415 - loading it takes seconds


def _open(uri: str, embedded: Path | None) -> Any:  # noqa: ANN401 - MLflow is loaded late
    load_mlflow()
    import mlflow  # noqa: PLC0415 - loading it takes seconds

    if embedded is not None:
        embedded.parent.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return mlflow.MlflowClient(uri, uri)


def _known(metrics: Mapping[str, float | None]) -> dict[str, float]:
    return {key: value for key, value in metrics.items() if value is not None}


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """MLflow and Alembic tell on standard error what they do; what goes wrong comes as an exception."""
    names = ("mlflow", "alembic")
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
