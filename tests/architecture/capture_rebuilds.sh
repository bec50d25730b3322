#!/usr/bin/env bash
# Asks ninja what traincast-capture is made from: no compressor, no simulator, no platform may be among it.
set -euo pipefail
ninja=$1 build=$2
inputs=$("$ninja" -C "$build" -t inputs bin/traincast-capture)
objects=$(grep -E '^workloads/capture/.*\.o$' <<<"$inputs")
[ -n "$objects" ] || { echo "ninja names no object of workloads/capture"; exit 1; }
headers=$(for object in $objects; do "$ninja" -C "$build" -t deps "$object"; done)
grep -q 'torch' <<<"$headers" || { echo "ninja has no record of the headers; build first"; exit 1; }
if grep -E '(^|/)(compressors|simulator|platforms|analysis)/' <<<"$inputs"$'\n'"$(grep -v '/usr/' <<<"$headers")"; then
  echo "traincast-capture depends on what stands above"
  exit 1
fi
