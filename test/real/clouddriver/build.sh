#!/usr/bin/env bash
# Builds the launcher of the real Clouddriver engine in a cache directory:
#   cp.txt       class path, resolved by Maven from pom.xml
#   harness.jar  the compiled src/ of this directory
#   java.args    argument file for java: the class path of both
#   harness.jsa  class-data archive, which saves about a third of each start (optional)
# Each step is skipped while its inputs have the checksum of the last run. The checksum stands in
# for a comparison of times, so that a restored cache is still good after a fresh checkout.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cache="${AEC_REAL_CACHE:-$HOME/.cache/aec-real}"
dependency_plugin="org.apache.maven.plugins:maven-dependency-plugin:3.6.1"

mkdir -p "$cache"
if command -v flock >/dev/null; then
  exec 9>"$cache/build.lock"
  flock 9
fi

checksum() { cat "$@" | cksum; }

jars_present() {
  local jar
  while IFS= read -r jar; do
    [ -f "$jar" ] || return 1
  done < <(tr ':' '\n' <"$cache/cp.txt")
}

pom_sum="$(checksum "$here/pom.xml")"
if [ ! -s "$cache/cp.txt" ] || [ "$(cat "$cache/cp.sum" 2>/dev/null)" != "$pom_sum" ] || ! jars_present; then
  echo "Resolving the class path of the engine (minutes on the first run) ..." >&2
  rm -f "$cache/cp.sum"
  mvn -B -q -Dstyle.color=never -f "$here/pom.xml" "$dependency_plugin:build-classpath" \
    -DincludeScope=runtime -Dmdep.outputFile="$cache/cp.txt" -Dmaven.artifact.threads=10 >&2
  echo "$pom_sum" >"$cache/cp.sum"
fi

glue_sum="$(checksum "$here"/src/aec/harness/*.java "$cache/cp.txt")"
if [ ! -f "$cache/harness.jar" ] || [ "$(cat "$cache/harness.sum" 2>/dev/null)" != "$glue_sum" ]; then
  echo "Compiling the harness ..." >&2
  rm -rf "$cache/harness.sum" "$cache/classes"
  mkdir -p "$cache/classes"
  printf -- '-cp\n"%s"\n' "$(cat "$cache/cp.txt")" >"$cache/javac.args"
  javac -parameters -proc:none -nowarn -d "$cache/classes" "@$cache/javac.args" "$here"/src/aec/harness/*.java >&2
  jar --create --file "$cache/harness.jar" -C "$cache/classes" .
  printf -- '-cp\n"%s:%s"\n' "$cache/harness.jar" "$(cat "$cache/cp.txt")" >"$cache/java.args"
  echo "$glue_sum" >"$cache/harness.sum"
fi

# A run in memory, without Redis and with an AWS proxy that refuses, loads nearly all classes. The
# JVM ignores an archive that does not fit, and the engine starts without one, so failing is fine.
archive_sum="$glue_sum $(java -version 2>&1 | cksum)"
if [ "$(cat "$cache/archive.sum" 2>/dev/null)" != "$archive_sum" ]; then
  echo "Archiving class data ..." >&2
  rm -f "$cache/archive.sum" "$cache/harness.jsa" "$cache/archive.new"
  settings='{"server.port": 0, "redis.enabled": false, "services.front50.baseUrl": "http://127.0.0.1:1",
    "aws.proxy.proxyHost": "127.0.0.1", "aws.proxy.proxyPort": "1",
    "aws.defaultRegions[0].name": "us-east-1", "aws.defaultRegions[0].availabilityZones[0]": "us-east-1a"}'
  if (cd "$cache/classes" && env AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_EC2_METADATA_DISABLED=true \
    SPRING_APPLICATION_JSON="$settings" timeout 180 java "-XX:ArchiveClassesAtExit=$cache/archive.new" \
    -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Daec.exit-when-ready=true \
    "-Dspring.config.additional-location=file:$here/" "@$cache/java.args" aec.harness.Main) >"$cache/archive.log" 2>&1; then
    mv -f "$cache/archive.new" "$cache/harness.jsa"
  else
    echo "No class-data archive (see $cache/archive.log); starts take some seconds longer." >&2
  fi
  echo "$archive_sum" >"$cache/archive.sum"
fi

echo "$cache"
