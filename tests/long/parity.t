#!/bin/bash
# What kiln customize makes of guests against what the peers make of them: see tests/parity/compare.
exec "$(dirname "$0")/../parity/compare"
