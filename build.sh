#!/usr/bin/env bash
# The one entry to the platform: `./build.sh help` lists its commands.
# Each command sets up first what is missing; set-up repeats safely and needs no environment variable.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
venv=$project/.venv
stamp_file=$venv/setup.stamp

commands() {
  cat <<'LIST'
setup|make or mend the environment: Python packages, Java, connector jars, Spark's files, token key (--extras: example data)
run|generate or land data and run the stages (--scale --seed --root --date --source --from --to --dry-run …)
status|the last runs, stage by stage (--lineage TABLE: what a table was made of)
sql|query the published tables: sql "SELECT …" [--root R] [--engine duckdb|spark] [--format table|csv|json]
report|make the pages under ops/report: the run, its data quality, the dashboards (--root R, --open)
quarantine|show rejected rows with their reasons (--dataset --reason --limit)
score|compare quarantine and flags with the defects that the generator planted
doctor|check the machine and the environment, with a remedy for each problem (--root R, --deep)
test|run the tests; arguments go to pytest
lint|ruff, mypy, import-linter, shellcheck
dist|make the bundle: wheel, common.zip, jobs, conf, manifest with checksums
lock|resolve requirements.txt anew into requirements.lock
clean|remove what can be made again: dist and tool caches; environment and data stay
help|this list
LIST
}

main() {
  local command=${1:-help}
  [ $# -eq 0 ] || shift
  case $command in
    run | status | sql | report | quarantine | score | dist) needs_setup; python -m "pipelines.$command" "$@" ;;
    setup) setup_arguments "$@"; set_up; extras "$@" ;;
    doctor) doctor "$@" ;;
    test) needs_setup; needs_extras; run_tests "$@" ;;
    lint) no_arguments lint "$@"; needs_setup; lint ;;
    lock) needs_setup; lock "$@" ;;
    clean) no_arguments clean "$@"; clean ;;
    help | --help | -h) help_page ;;
    *) unknown "$command" ;;
  esac
}

# Changes nothing, so that it also tells what keeps set-up from working.
doctor() {
  local interpreter=$venv/bin/python
  [ -x "$interpreter" ] || interpreter=$(find_python)
  PYTHONPATH=$project exec "$interpreter" -P -m pipelines.doctor "$@"
}

help_page() {
  printf 'usage: ./build.sh COMMAND [ARGUMENT…]\n\n'
  local name line
  while IFS='|' read -r name line; do printf '  %-11s %s\n' "$name" "$line"; done < <(commands)
}

unknown() {
  local name best='' distance least=4
  while IFS='|' read -r name _; do
    distance=$(edit_distance "$1" "$name")
    if [ "$distance" -lt "$least" ]; then least=$distance best=$name; fi
  done < <(commands)
  [ -z "$best" ] || best=", did you mean '$best'?"
  fail "unknown command '$1'$best (./build.sh help lists them)"
}

edit_distance() {
  local a=${1:0:20} b=$2 i j cost above_left above
  local -a row=()
  for ((j = 0; j <= ${#b}; j++)); do row[j]=$j; done
  for ((i = 1; i <= ${#a}; i++)); do
    above_left=${row[0]} row[0]=$i
    for ((j = 1; j <= ${#b}; j++)); do
      above=${row[j]}
      cost=1
      [ "${a:i-1:1}" != "${b:j-1:1}" ] || cost=0
      row[j]=$((above_left + cost))
      if ((above + 1 < row[j])); then row[j]=$((above + 1)); fi
      if ((row[j - 1] + 1 < row[j])); then row[j]=$((row[j - 1] + 1)); fi
      above_left=$above
    done
  done
  printf '%s\n' "${row[${#b}]}"
}

fail() {
  printf 'build.sh: %s\n' "$1" >&2
  exit 2
}

# Before anything is done for a command that cannot be meant.
no_arguments() { [ $# -eq 1 ] || fail "$1 takes no arguments, found '$2'"; }

setup_arguments() {
  case $#:${1:-} in
    0: | 1:--extras) ;;
    1:*) fail "setup takes --extras and nothing else, found '$1'" ;;
    *) fail "setup takes --extras and nothing else, found '$*'" ;;
  esac
}

say() { printf 'set-up: %s\n' "$1" >&2; }

# Runs a module of this project from any working directory. -P: a directory of the user's that happens to be called
# `common` must not be imported in place of ours.
python() {
  # shellcheck source=/dev/null
  . "$venv/platform.env"
  PYTHONPATH=$project exec "$venv/bin/python" -P "$@"
}

# ---------------------------------------------------------------------------------------------------------- set-up

# What set-up depends on; when it reads the same as at the last set-up, there is nothing to do.
stamp() {
  printf '%s\n' "$project"
  local sum=(sha256sum)
  command -v sha256sum >/dev/null || sum=(shasum -a 256)
  (cd "$project" && "${sum[@]}" build.sh requirements.lock conf/spark/* pipelines/setup/*.py)
}

is_current() {
  [ -f "$stamp_file" ] && [ -x "$venv/bin/python" ] && [ "$(<"$stamp_file")" = "$(stamp)" ] || return 1
  # shellcheck source=/dev/null
  (. "$venv/platform.env" && [ -x "$JAVA_HOME/bin/java" ]) 2>/dev/null
}

needs_setup() { is_current || set_up; }

set_up() {
  local base
  base=$(find_python)
  # Opened here and locked by Python, since not every system has flock(1): the lock belongs to the open file, so it
  # stays ours when that Python ends, and a kill releases it.
  exec 9>"$project/.setup.lock"
  "$base" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null || {
    say "waiting for another set-up to end"
    "$base" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
  }
  writable_caches
  make_venv "$base"
  install_packages
  PYTHONPATH=$project "$venv/bin/python" -P -m pipelines.setup 9>&- || exit
  # Hard links of what is installed now; only worth keeping where other projects can use them.
  rm -rf "$venv/cache/pip" "$venv/cache/uv"
  stamp >"$stamp_file.new"
  mv "$stamp_file.new" "$stamp_file"
  exec 9>&-
}

find_python() {
  local candidate
  for candidate in python3.11 python3.12 python3.13 python3 python3.14; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      "$candidate" -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))'
      return
    fi
  done
  fail "Python 3.11 or newer is needed, found $(python3 --version 2>/dev/null || echo none): install python3.11 and python3.11-venv and repeat"
}

# Without a home directory to write in, the caches go into the environment.
writable_caches() {
  local cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
  if [ -n "$cache" ] && mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ]; then return; fi
  export PIP_CACHE_DIR=$venv/cache/pip UV_CACHE_DIR=$venv/cache/uv
}

make_venv() {
  local base=$1 started=$SECONDS problem
  # An environment holds its own path in its scripts: one that was moved or copied here is made anew.
  if "$venv/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null &&
    { [ ! -f "$stamp_file" ] || [ "$(head -n 1 "$stamp_file")" = "$project" ]; }; then
    return
  fi
  # A key that lies in the environment (no home directory) outlives it: a new one would change every token.
  local kept_key=$project/.token.key
  [ ! -f "$venv/token.key" ] || mv "$venv/token.key" "$kept_key"
  problem=$("$base" -m venv --clear "$venv" 2>&1) || {
    rm -rf "$venv"
    case $problem in
      *ensurepip* | *'No module named venv'*)
        fail "$base has no venv module: install it (Debian, Ubuntu: apt-get install $("$base" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')) and repeat" ;;
      *) fail "$base cannot make an environment in $venv: $(tail -n 1 <<<"$problem")" ;;
    esac
  }
  [ ! -f "$kept_key" ] || mv "$kept_key" "$venv/token.key"
  say "$(printf '%-15s %5.1f s  %s' Python $((SECONDS - started)) "$("$venv/bin/python" --version | cut -d' ' -f2) from $base")"
}

install_packages() {
  local started=$SECONDS log=$venv/install.log done_with
  if [ ! -x "$venv/bin/uv" ]; then
    # The pin of uv with its hashes, out of the lock.
    sed -n '/^uv==/,/[^\\]$/p' "$project/requirements.lock" >"$venv/uv.lock"
    "$venv/bin/python" -m pip install --quiet --require-hashes -r "$venv/uv.lock" >"$log" 2>&1 || true
  fi
  if [ -x "$venv/bin/uv" ]; then
    VIRTUAL_ENV=$venv "$venv/bin/uv" pip sync --require-hashes "$project/requirements.lock" >"$log" 2>&1 || packages_failed "$log"
    done_with=uv
  else
    "$venv/bin/python" -m pip install --quiet --require-hashes -r "$project/requirements.lock" >"$log" 2>&1 || packages_failed "$log"
    done_with=pip
  fi
  say "$(printf '%-15s %5.1f s  %s' packages $((SECONDS - started)) "as in requirements.lock, with $done_with")"
  # The lock does not know them, so that making the environment equal to it has removed them.
  [ ! -f "$venv/extras.stamp" ] || install_extras
}

# Example data of others, which set-up leaves out unless it is asked for; what was asked for once is kept up.
extras() { [ "${1:-}" != --extras ] || install_extras; }

needs_extras() {
  if ! cmp -s "$venv/extras.stamp" "$project/requirements-extras.txt"; then install_extras; fi
}

install_extras() {
  local started=$SECONDS log=$venv/install.log installer=("$venv/bin/python" -m pip install --quiet)
  [ ! -x "$venv/bin/uv" ] || installer=(env VIRTUAL_ENV="$venv" "$venv/bin/uv" pip install)
  writable_caches
  "${installer[@]}" --no-deps --require-hashes -r "$project/requirements-extras.txt" >"$log" 2>&1 || {
    cat "$log" >&2
    fail "the packages of requirements-extras.txt could not be installed: see above, check the network and repeat"
  }
  cp "$project/requirements-extras.txt" "$venv/extras.stamp"
  say "$(printf '%-15s %5.1f s  %s' extras $((SECONDS - started)) "as in requirements-extras.txt")"
}

packages_failed() {
  cat "$1" >&2
  fail "the packages of requirements.lock could not be installed: see above, check the network and repeat"
}

# ------------------------------------------------------------------------------------------------- test, lint, lock

run_tests() {
  (python -m pipelines.dist --quiet)
  # Without a browser the other tests run all the same, and those of the report fail and say what to install.
  (python -m pipelines.setup.browser) || true
  cd "$project"
  # Two processes for the whole; what is asked for by name runs in one, where it can be debugged.
  if [ $# -eq 0 ]; then set -- -n 2; fi
  python -m pytest "$@"
}

lint() {
  local failed='' present=() directory
  cd "$project"
  for directory in common jobs pipelines generators tests; do
    if [ -n "$(find "$directory" -name '*.py' -print -quit 2>/dev/null)" ]; then present+=("$directory"); fi
  done
  check() {
    local name=$1
    shift
    printf -- '--- %s\n' "$name"
    "$@" || failed="$failed $name"
  }
  export PYTHONPATH=$project
  check ruff "$venv/bin/ruff" check .
  check format "$venv/bin/ruff" format --check .
  check mypy "$venv/bin/mypy" "${present[@]}"
  check imports "$venv/bin/lint-imports" --no-logo
  check shellcheck "$venv/bin/shellcheck" build.sh .ci/run
  [ -z "$failed" ] || {
    printf 'lint: failed:%s\n' "$failed" >&2
    exit 1
  }
  printf 'lint: clean\n'
}

lock() {
  cd "$project"
  exec "$venv/bin/uv" pip compile --python-version 3.11 --universal --generate-hashes --no-annotate --no-header \
    --quiet requirements.txt --output-file requirements.lock "$@"
}

clean() {
  cd "$project"
  rm -rf dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis ./*.egg-info
  find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
}

main "$@"
exit
