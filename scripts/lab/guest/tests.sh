#!/bin/bash
# Runs the lab's tests in the guest. Arguments: files, as vitest selects them.
export NODE_COMPILE_CACHE=/tmp/node-cache
node node_modules/vitest/vitest.mjs run --config vitest.lab.config.ts --reporter=verbose --reporter=json \
	--outputFile.json=/lab/out/tests.json "$@" | cat
exit "${PIPESTATUS[0]}"
