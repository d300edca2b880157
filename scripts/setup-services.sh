#!/usr/bin/env bash
# Gives a Debian machine what the tests need beside the Rust toolchain: a C++ compiler for the fuzzer and a PostgreSQL server that lets
# the user `postgres` in from 127.0.0.1. What is already there is left as it is. Meant for machines that build and test, not for production.
set -euo pipefail

host=127.0.0.1
port=5432

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

answers() { psql -h "$host" -p "$port" -U postgres -d postgres -w -Atqc 'select 1' >/dev/null 2>&1; }

install() {
  export DEBIAN_FRONTEND=noninteractive
  if [ -z "${apt_updated:-}" ]; then as_root apt-get update -qq; apt_updated=yes; fi
  as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

command -v g++ >/dev/null || { echo "installing g++ (builds libFuzzer)"; install g++; }
command -v cc >/dev/null || { echo "installing gcc (links programs)"; install gcc libc6-dev; }

if command -v psql >/dev/null && answers; then
  echo "PostgreSQL answers on $host:$port"
  exit 0
fi

command -v pg_lsclusters >/dev/null && [ -n "$(pg_lsclusters -h)" ] || { echo "installing PostgreSQL"; install postgresql postgresql-client; }
[ -n "$(pg_lsclusters -h)" ] || as_root pg_createcluster "$(ls /usr/lib/postgresql | sort -V | tail -n 1)" main

read -r version cluster cluster_port status _ < <(pg_lsclusters -h | head -n 1)
if [ "$status" != online ]; then
  echo "starting PostgreSQL $version/$cluster"
  as_root pg_ctlcluster "$version" "$cluster" start
fi
if [ "$cluster_port" != "$port" ]; then
  echo "PostgreSQL $version/$cluster listens on port $cluster_port, the tests look for it on $port:" >&2
  echo "set TIEOUT_TEST_POSTGRES_URL=postgres://postgres@$host:$cluster_port/postgres" >&2
  exit 1
fi

if ! answers; then
  # A new cluster asks for a password over TCP. Test databases hold samples only, so the local user is let in without one.
  hba=/etc/postgresql/$version/$cluster/pg_hba.conf
  echo "letting postgres in from $host in $hba"
  as_root sed -i "1i host all postgres $host/32 trust" "$hba"
  as_root pg_ctlcluster "$version" "$cluster" reload
fi

for _ in $(seq 50); do
  if answers; then
    echo "PostgreSQL answers on $host:$port"
    exit 0
  fi
  sleep 0.2
done
echo "PostgreSQL does not answer on $host:$port; see /var/log/postgresql" >&2
exit 1
