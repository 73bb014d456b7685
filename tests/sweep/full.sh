#!/bin/sh
# full.sh [BUILD]: every place of every sweep, not each few of them. From the top of the tree; BUILD is a build folder of the asan
# preset with the target `tests` built.
DIALER_SWEEP=full exec ctest --test-dir "${1:-build/asan}" -R '^sweep_' --output-on-failure
