#!/bin/bash
# qemu-utils 1:7.2+dfsg-7+deb12u18+b3 (Debian 12), block/vmdk.c.
#
# A blank line right before an extent of a VMDK descriptor makes QEMU take that extent once more for each such line:
# the disk is reported, converted and presented to guests at twice its size (three times for two lines), and both
# halves are the same bytes of the same file. A blank line before a comment, or behind the last extent, changes nothing.
# Guessed: blank lines have no meaning anywhere in a descriptor.
#
# Seen, as "extents virtual-size":
#   no blank line          1 1048576
#   before the comment     1 1048576
#   before the extent      2 2097152
#   two before the extent  3 3145728
set -euo pipefail
package=qemu-utils=1:7.2+dfsg-7+deb12u18+b3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q -o APT::Sandbox::User=root download "$package" >/dev/null
dpkg -x qemu-utils_*.deb root
qemu_img=$work/root/usr/bin/qemu-img

truncate -s 1M disk-flat.vmdk
# describe BEFORE_COMMENT BEFORE_EXTENT: what QEMU makes of a descriptor with these blank lines.
describe() {
    {
        printf '# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="monolithicFlat"\n'
        printf '%b# Extent description\n%bRW 2048 FLAT "disk-flat.vmdk" 0\n' "$1" "$2"
        printf '\n# The Disk Data Base\nddb.adapterType = "ide"\n'
    } >disk.vmdk
    "$qemu_img" info --output=json disk.vmdk | python3 -c '
import json, sys
info = json.load(sys.stdin)
print(len(info["format-specific"]["data"]["extents"]), info["virtual-size"])'
}

seen=$(
    describe '' ''
    describe '\n' ''
    describe '' '\n'
    describe '' '\n\n'
)
expected='1 1048576
1 1048576
2 2097152
3 3145728'
if [ "$seen" != "$expected" ]; then
    printf 'changed; now:\n%s\n' "$seen"
    exit 1
fi
echo 'as described'
