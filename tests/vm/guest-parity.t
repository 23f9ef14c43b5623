#!/bin/bash
# The native engine and libguestfs, held against each other operation by operation at the level of
# guest/: results, errors and the trees that come out. The program is a unit test, which without
# KILN_PARITY compares the native engine on raw with itself on qcow2.
cd "$(dirname "$0")/../.." || exit 1
export LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg KILN_PARITY=appliance
export LIBGUESTFS_CACHEDIR=${KILN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln-test}/appliance
mkdir -p "$LIBGUESTFS_CACHEDIR"
exec "${O:-build}/unit/guest/test_parity"
