#!/bin/bash
# What only libguestfs's appliance does for guest/: running the guest's programs, staging in an
# overlay, several disks, new identities, trimming. The program is a unit test, which without
# KILN_PARITY tests no more than what happens before the appliance starts.
cd "$(dirname "$0")/../.." || exit 1
export LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg KILN_PARITY=appliance
export LIBGUESTFS_CACHEDIR=${KILN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln-test}/appliance
mkdir -p "$LIBGUESTFS_CACHEDIR"
exec "${O:-build}/unit/guest/test_appliance"
