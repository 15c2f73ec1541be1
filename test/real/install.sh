#!/usr/bin/env bash
# Installs what the real suites need, and prints the cache directory (AEC_REAL_CACHE) that holds it:
#   redis-server, mariadbd and postgres from Debian, where they are missing
#   moto/         venv with the moto server
#   localstack/   venv with LocalStack, which needs Python 3.13
#   kubernetes/   venv with the schemas of Kubernetes
#   browser/      a headless Chromium and what drives it
#   kustomize-*/  kustomize on both sides of 5.4.0, where its parsing became strict
#   and what clouddriver/build.sh builds
# A venv is kept while its marker holds the checksum of its place and its pins.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
export AEC_REAL_CACHE="${AEC_REAL_CACHE:-$HOME/.cache/aec-real}"
mkdir -p "$AEC_REAL_CACHE"
AEC_REAL_CACHE="$(cd "$AEC_REAL_CACHE" && pwd)"

moto_pins=('moto[server]==5.2.5')
# Without these limits LocalStack stops at its start with a misleading "No component plugins found".
localstack_pins=('localstack-core[runtime]==4.14.0' 'cbor2<6' 'pyopenssl<26' 'localstack-twisted==25.5.0' service-identity)

browser_pins=('@sparticuz/chromium@147.0.0' 'puppeteer-core@24.43.1')

if command -v flock >/dev/null; then
  exec 8>"$AEC_REAL_CACHE/install.lock"
  flock 8
fi

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "Neither root nor sudo to run: $*" >&2
    return 1
  fi
}

# install_package PACKAGE: from Debian.
install_package() {
  if ! command -v apt-get >/dev/null; then
    echo "$1 is missing, and there is no apt-get to install it: install it, then run this again." >&2
    return 1
  fi
  echo "Installing $1 ..." >&2
  as_root apt-get update -q >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$1" >&2
}

install_databases() {
  command -v redis-server >/dev/null || install_package redis-server
  [ -x /usr/sbin/mariadbd ] || install_package mariadb-server
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || install_package postgresql
}

# The path of a Python 3.13: the newest of pyenv when PATH has none. The python3.13 on PATH may be a
# shim of pyenv, which fails unless that version is selected.
find_python() {
  local candidate root
  root="${PYENV_ROOT:-$(pyenv root 2>/dev/null || echo "$HOME/.pyenv")}"
  {
    command -v python3.13 || true
    printf '%s\n' "$root"/versions/3.13*/bin/python3.13 | sort -rV
  } | while IFS= read -r candidate; do
    if "$candidate" -I -c 'import ensurepip, sys, venv; print(sys.executable)' 2>/dev/null </dev/null; then break; fi
  done
}

# Chromium comes as an npm package: nothing has to be downloaded from elsewhere.
install_browser() {
  local home="$AEC_REAL_CACHE/browser" sum
  sum="$(printf '%s\n' "${browser_pins[@]}" | cksum)"
  if [ "$(cat "$home/pins.sum" 2>/dev/null)" = "$sum" ]; then return; fi
  echo "Installing a browser ..." >&2
  rm -rf "$home"
  mkdir -p "$home"
  npm install --prefix "$home" --no-save --silent "${browser_pins[@]}" >&2
  printf '%s\n' "$sum" >"$home/pins.sum"
}

# install_venv NAME PIN...
install_venv() {
  local name="$1" venv="$AEC_REAL_CACHE/$1" sum
  shift
  sum="$(printf '%s\n' "$venv" "$@" | cksum)"
  if [ "$(cat "$venv/pins.sum" 2>/dev/null)" = "$sum" ] && "$venv/bin/python" -I -c '' 2>/dev/null; then return; fi
  if [ -z "${python:=$(find_python)}" ]; then
    echo "No Python 3.13 with venv, neither python3.13 on PATH nor a 3.13 version of pyenv. LocalStack needs it:" \
      "install it (pyenv install 3.13), then run this again." >&2
    return 1
  fi
  echo "Installing $name (a minute or so) ..." >&2
  rm -rf "$venv"
  "$python" -m venv "$venv" >&2
  "$venv/bin/python" -m pip install -q --no-input --disable-pip-version-check "$@" >&2
  echo "$sum" >"$venv/pins.sum"
}

# install_kustomize 24.43.1
install_kustomize() {
  local bin="$AEC_REAL_CACHE/kustomize-$1"
  if [ -x "$bin/kustomize" ]; then return; fi
  echo "Installing kustomize $1 (a minute or so) ..." >&2
  GOBIN="$bin" GOFLAGS=-mod=mod go install "sigs.k8s.io/kustomize/kustomize/v5@v$1" >&2
}

python=""
install_databases
install_venv moto "${moto_pins[@]}"
install_venv localstack "${localstack_pins[@]}"
install_venv kubernetes kubernetes-validate==1.37.0
install_browser
install_kustomize 5.3.0
install_kustomize 5.8.2
"$here/clouddriver/build.sh"
