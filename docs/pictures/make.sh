#!/bin/sh
# Makes the pictures of the README anew:
#
#     docs/pictures/make.sh MNIST-FOLDER
#
# Needs Chromium with chromedriver, and Python 3 for the chart, which is of the last measurement by
# benches/peers/run.py, if there was one.
set -eu
mnist=$(cd "${1:?give the folder that holds MNIST}" && pwd)
pictures=$(cd "$(dirname "$0")" && pwd)
cd "$pictures/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cargo build --release
mnistry=$PWD/target/release/mnistry
(cd "$folder" && "$mnistry" train --data "$mnist" --quiet --epochs 8 --validation-split 0.1 \
    --schedule cosine)
# Chromium has no sandbox for root.
[ "$(id -u)" = 0 ] && sandbox=--no-sandbox || sandbox=
chromium --headless=new $sandbox --disable-gpu --hide-scrollbars --window-size=1280,1120 \
    --screenshot="$pictures/report.png" "file://$folder/runs/1/report.html"

(cd "$folder" && "$mnistry" sweep --data "$mnist" --quiet --seeds 0-9 --grid hidden=20,50,100 \
    --grid learning-rate=1e-4,1e-3,1e-2 --grid epochs=1)
# The charts alone.
sed 's|</style>|main > :not(.broad) { display: none }</style>|' "$folder/sweeps/1/report.html" \
    > "$folder/charts.html"
chromium --headless=new $sandbox --disable-gpu --hide-scrollbars --window-size=936,1240 \
    --screenshot="$pictures/sweep.png" "file://$folder/charts.html"

MNISTRY_SCREENSHOTS=$folder cargo test --test browser -- --ignored both_views
cp "$folder/drawing-1280-light.png" "$pictures/draw.png"

peers=benches/peers/results/peers.json
if [ -e "$peers" ]; then
    python3 benches/peers/chart.py "$peers" "$pictures/peers.svg"
fi
