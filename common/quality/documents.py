"""The index of Data Docs: a link to each page under ops/gx/data_docs, whichever run made it.

Great Expectations keeps a validation as `validations/<suite>/<run>/<time>/<batch>.json` under ops/gx, each part of the
suite's name a directory, and its page in the same way under data_docs. Its own index is a script that comes from the
web: where there is no web it stays empty. It also knows no warnings, and removes the pages of suites that the run does
not know. This one is a file that needs no other.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined

from common.layout import Layout
from common.quality.findings import CRITICAL
from common.storage.files import write_atomically

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Data Docs</title>
<style>
:root { color-scheme: light dark; --ink: #1a2027; --muted: #57616c; --bg: #fff; --rule: #e2e6eb; --link: #1c5ca3;
  --passed: #187445; --warning: #8a5700; --failed: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7eaee; --muted: #a0abb7; --bg: #11151a; --rule: #2a323c; --link: #82b6f0;
    --passed: #63ca92; --warning: #e8b752; --failed: #ff938a; }
}
body { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem; background: var(--bg); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; overflow-wrap: anywhere; }
p, time { color: var(--muted); }
time { font-weight: 400; white-space: nowrap; }
a { color: var(--link); }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--rule); text-align: left; }
th { color: var(--muted); font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.passed { color: var(--passed); } .warning { color: var(--warning); } .failed { color: var(--failed); }
</style>
</head>
<body>
<main>
<h1>Data Docs</h1>
<p>What each gate held its rows against, and what it found; newest run first.</p>
{% for run_id, validations in runs %}
<section>
<h2>{{ run_id }} <time datetime="{{ validations[0].when.isoformat() }}">{{
  validations[0].when.strftime("%d %b %Y, %H:%M UTC") }}</time></h2>
<div class="scroll" tabindex="0" role="region" aria-label="Gates of {{ run_id }}">
<table>
<thead><tr><th scope="col">Gate</th><th scope="col">Result</th><th scope="col" class="number">Expectations</th>
<th scope="col">Suite</th></tr></thead>
<tbody>
{% for each in validations %}
<tr><td><a href="{{ each.page }}">{{ each.suite }}</a></td><td class="{{ each.outcome }}">{{ each.result }}</td>
<td class="number">{{ each.evaluated }}</td>
<td>{% if each.suite in suites %}<a href="{{ suites[each.suite] }}">what it expects</a>{% endif %}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
</section>
{% endfor %}
</main>
</body>
</html>
"""


@dataclass(frozen=True)
class _Validation:
    """What a gate found, as its result says, and where its page is."""

    run_id: str
    suite: str
    when: datetime
    page: str
    evaluated: int
    failures: int
    warnings: int

    @property
    def outcome(self) -> str:
        return "failed" if self.failures else "warning" if self.warnings else "passed"

    @property
    def result(self) -> str:
        warned = f"{self.warnings} warning{'s' if self.warnings > 1 else ''}" if self.warnings else ""
        passed = f"{self.failures} failed" if self.failures else "passed"
        return ", ".join(filter(None, (passed, warned)))


def write_index(layout: Layout) -> None:
    """Write the index of the pages that are there; a validation whose result is gone or unreadable has no link."""
    results = layout.local("ops", "gx")
    site = results / "data_docs"
    pages = [page.relative_to(site) for page in site.glob("expectations/**/*.html")]
    suites = {".".join(page.with_suffix("").parts[1:]): quote(page.as_posix()) for page in pages}
    found = [_validation(results, page.relative_to(site)) for page in site.glob("validations/**/*.html")]
    by_run: dict[str, list[_Validation]] = {}
    for validation in sorted(filter(None, found), key=lambda each: each.when):
        by_run.setdefault(validation.run_id, []).append(validation)
    runs = sorted(by_run.items(), key=lambda run: run[1][0].when, reverse=True)
    page = Environment(autoescape=True, undefined=StrictUndefined).from_string(_PAGE)
    write_atomically(site / "index.html", page.render(runs=runs, suites=suites))


def _validation(results: Path, page: Path) -> _Validation | None:
    """What the page's path says, and the result beside it."""
    _, *suite, run_id, when, _ = page.parts
    try:
        said = json.loads((results / page.with_suffix(".json")).read_bytes())
    except (OSError, ValueError):
        return None
    unmet = Counter(
        each["expectation_config"]["severity"] == CRITICAL for each in said["results"] if not each["success"]
    )
    return _Validation(
        run_id=run_id,
        suite=".".join(suite),
        when=datetime.strptime(when, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC),
        page=quote(page.as_posix()),
        evaluated=len(said["results"]),
        failures=unmet[True],
        warnings=unmet[False],
    )
