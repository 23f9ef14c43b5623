#!/bin/bash
# VMDK images of all shapes: QEMU opens the files that kiln has checked, and reads the same disk, or kiln
# refuses the image and starts nothing. tests/unit/image/test_vmdk.c compares the two readings of a
# descriptor itself.
. "$(dirname "$0")/lib.sh"
use_test_repo
cd "$tmp" || exit 1
"$kiln" build -q mini -o mini.img
mkdir disk
cp mini.img disk/a.img
size=$(stat -c %s mini.img)
sectors=$((size / 512))
half=$((sectors / 2))
head -c $((half * 512)) mini.img >disk/first.img
tail -c +$((half * 512 + 1)) mini.img >disk/second.img

# inspect FILE: kiln inspects disk/FILE; $by_kiln and $by_qemu are the files of that folder which kiln and
# whatever it has started have opened.
inspect() {
    rm -f trace.*
    run traced -ff --seccomp-bpf -qq -y -e trace=openat,execve -e 'signal=!all' -o trace \
        "$kiln" inspect --json --engine native "disk/$1"
    local own
    own=$(grep -lE "^execve\(\"$kiln\"" trace.*)
    by_kiln=$(opened "$own")
    # shellcheck disable=SC2010
    by_qemu=$(opened /dev/null $(ls trace.* | grep -vxF "$own"))
}
opened() { cat "$@" | grep -oP " = \d+<\Q$tmp\E/disk/\K[^>]+" | sort -u; }

agrees() { # WHAT FILE
    inspect "$2"
    if [ "$status" -ne 0 ]; then
        fail "$1" "$(show)"
        return
    fi
    local listed info
    info=$(qemu-img info --output=json -f vmdk "disk/$2")
    listed=$(jq -r '.["format-specific"].data.extents[].filename' <<<"$info" | sed "s,.*/,,"; echo "$2")
    is "$by_qemu"$'\n'"$(jq -c '[.image.virtual_size, .os.hostname]' <<<"$out")" \
        "$(sort -u <<<"$listed")"$'\n'"$(jq -c '[.["virtual-size"], "mini"]' <<<"$info")" "$1 is read as QEMU reads it"
    is "$(comm -13 <(echo "$by_kiln") <(echo "$by_qemu"))" '' "$1: kiln has checked all files that QEMU opens"
}
refuses() { # WHAT FILE
    inspect "$2"
    is "$status $by_qemu" '1 ' "$1 is refused"
}

# What qemu-img makes.
for subformat in monolithicSparse monolithicFlat twoGbMaxExtentSparse twoGbMaxExtentFlat streamOptimized; do
    qemu-img convert -q -O vmdk -o "subformat=$subformat" mini.img "disk/$subformat.vmdk"
    agrees "$subformat" "$subformat.vmdk"
done

# QEMU would open it for writing, fail at the first grain that is there, and break the image by a new one.
stream=disk/streamOptimized.vmdk
before=$(sha256sum "$stream")
refuses_to_write() { # WHAT CMD...
    local what=$1
    shift
    fails 1 "$stream: nothing can be written into the vmdk image: it is compressed.*convert it first" \
        "$what a stream is refused" "$kiln" "$@"
    unlike "$out$err" '(changes were made|Setting)' "$what it: nothing is said to have been done"
}
refuses_to_write customize customize -a "$stream" --hostname x
refuses_to_write 'customize --atomic' customize --atomic -a "$stream" --hostname x
refuses_to_write 'customize --engine appliance' customize --engine appliance -a "$stream" --hostname x
refuses_to_write sysprep sysprep -a "$stream"
refuses_to_write 'a second disk that is' customize -a mini.img -a "$stream" --hostname x
refuses_to_write 'boot --persist' boot --persist --engine qemu "$stream"
is "$(sha256sum "$stream")" "$before" 'the stream is as it was'
ok 'what needs no writing works' "$kiln" customize -n -a "$stream" --hostname x

# A snapshot, whose parent is a VMDK image beside it.
qemu-img create -q -f vmdk -b monolithicSparse.vmdk -F vmdk disk/snapshot.vmdk
before=$(sha256sum disk/monolithicSparse.vmdk)
run "$kiln" inspect --json disk/snapshot.vmdk
is "$(jq -r .os.hostname <<<"$out")" mini 'a snapshot is read together with its parent'
ok 'it is customized' "$kiln" customize -q -a disk/snapshot.vmdk --hostname later
run "$kiln" inspect --json disk/snapshot.vmdk
is "$(jq -r .os.hostname <<<"$out")" later 'which is seen in it'
is "$(sha256sum disk/monolithicSparse.vmdk)" "$before" 'the parent is as it was'
ok 'the parent changes' "$kiln" customize -q -a disk/monolithicSparse.vmdk --hostname other
fails 1 'was changed after .*snapshot.vmdk was made from it' 'a snapshot of what was changed is refused' "$kiln" inspect disk/snapshot.vmdk

# Descriptors by hand. FORMAT is printf's.
shape() { # TYPE FORMAT
    # shellcheck disable=SC2059
    printf "# Disk DescriptorFile\nversion=1\nCID=123a5678\nparentCID=ffffffff\ncreateType=\"$1\"\n$2" >disk/by-hand.vmdk
}
flat="RW $sectors FLAT \"a.img\" 0"
shape monolithicFlat "$flat\n" && agrees 'one extent' by-hand.vmdk
shape twoGbMaxExtentFlat "RW $half FLAT \"first.img\" 0\nRW $((sectors - half)) FLAT \"second.img\" 0\n" && agrees 'two extents' by-hand.vmdk
shape vmfs "RW $sectors VMFS \"a.img\"\n" && agrees vmfs by-hand.vmdk
shape monolithicFlat "RW\t$sectors\vFLAT\f\"a.img\"\r0\r\n" && agrees 'all white space' by-hand.vmdk
shape monolithicFlat "# Extent description\n$flat\n\n# The disk data base\nddb.adapterType = \"ide\"\n" && agrees 'comments and other keys' by-hand.vmdk
shape monolithicFlat "$flat\n" && sed -i 's/$/\r/' disk/by-hand.vmdk && agrees 'lines that end with CR LF' by-hand.vmdk
shape monolithicFlat "\n$flat\n" && refuses 'an extent that QEMU counts twice' by-hand.vmdk
shape monolithicFlat "rw $sectors FLAT \"a.img\" 0\n" && refuses 'an extent in lower case' by-hand.vmdk
shape vmfs "RW $sectors VMFS \"a.img\n" && refuses 'a name without its second quote' by-hand.vmdk
shape monolithicFlat "RW\n$sectors\nFLAT\n\"a.img\"\n0\n" && refuses 'an extent over several lines' by-hand.vmdk
shape monolithicFlat "$flat\nRDONLY 8 FLAT \"first.img\" 0\n" && refuses 'an extent that QEMU skips' by-hand.vmdk

# The host's file that QEMU's rules find, and blanks and tabs do not.
head -c 65536 /dev/zero >canary
for blank in '\v' '\f' '\r' '\t'; do
    shape monolithicFlat "RW${blank}8${blank}FLAT${blank}\"$tmp/canary\"${blank}0\nRW $sectors FLAT \"a.img\" 0\n"
    refuses "a file elsewhere, behind ${blank/\\/}," by-hand.vmdk
    fails 1 'not beside it' 'with the reason' "$kiln" customize -a disk/by-hand.vmdk --hostname x
done
cp -a disk/a.img outside.img
rm disk/a.img && ln -s ../outside.img disk/a.img
shape monolithicFlat "$flat\n" && refuses 'a symbolic link to a file elsewhere' by-hand.vmdk
is "$(tr -d '\0' <canary)" '' 'the file elsewhere is as it was'
finish
