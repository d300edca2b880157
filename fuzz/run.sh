#!/usr/bin/env bash
# Fuzzes one target on the stable toolchain: fuzz/run.sh TARGET [SECONDS] [libFuzzer options…]
#
# cargo-fuzz wants a nightly toolchain for the address sanitizer. The readers are free of unsafe code, so coverage is all that is needed, and
# that the stable compiler can insert. The folder stays usable with `cargo +nightly fuzz run TARGET`.
set -euo pipefail

cd "$(dirname "$0")"
target=${1:?"usage: fuzz/run.sh TARGET [SECONDS] [libFuzzer options]; targets: $(cd fuzz_targets && ls | sed 's/\.rs$//' | tr '\n' ' ')"}
seconds=${2:-30}
shift $(($# < 2 ? $# : 2))

triple=$(rustc -vV | sed -n 's/^host: //p')
# With --target the flags reach the target only, not the build scripts and procedural macros.
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
export CARGO_TARGET_DIR=${FUZZ_TARGET_DIR:-target}
cargo build --quiet --locked --release --target "$triple" --bin "$target"

# Seeds: the small samples. Files of any format do no harm: a reader must bear them all.
mkdir -p "corpus/$target" "artifacts/$target"
while IFS= read -r -d '' sample; do
  cp -n "$sample" "corpus/$target/sample-$(basename "$sample")"
done < <(find ../samples -type f -size -8k -print0)

exec "$CARGO_TARGET_DIR/$triple/release/$target" "corpus/$target" \
  -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -artifact_prefix="artifacts/$target/" "$@"
