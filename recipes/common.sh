# shellcheck shell=bash
# What the recipes of base images share. Source it; a recipe then sets `packages` and `tools`,
# defines `index_fields` and `build FILE`, and ends with `recipe_main "$@"`.
#
# Nothing here mounts anything or needs a loop device, so it works in a plain container.

SECTOR=512
MIB=$((1024 * 1024))

packages=() # Debian packages that go into the image
tools=()    # packages of this machine that leave their mark on it
scratch=    # see make_scratch

note() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { note "$@"; exit 1; }

# One temporary directory for the process; $scratch names it.
make_scratch() {
    scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/kiln-base.XXXXXX")
    trap 'rm -rf -- "$scratch"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || die "'$tool' is not installed; see deps.txt"
    done
}

# Owners and modes must reach the image: as root they just do, for others fakeroot remembers them.
rootly() {
    if ((EUID == 0)); then
        "$@"
    else
        touch "$scratch/fakeroot"
        fakeroot -i "$scratch/fakeroot" -s "$scratch/fakeroot" -- "$@"
    fi
}

# A UUID that is always the same for the same words.
uuid_of() {
    local h
    h=$(printf 'kiln base image: %s' "$*" | sha256sum)
    printf '%s-%s-5%s-8%s-%s\n' "${h:0:8}" "${h:8:4}" "${h:13:3}" "${h:17:3}" "${h:20:12}"
}

### Debian packages

# apt's lists are fetched only where there are none: the answer should not change from run to run.
apt_lists() {
    [[ -n $(apt-get indextargets 'Created-By: Packages' 'Origin: Debian') ]] && return
    note "fetching the package lists"
    apt-get -qq update >&2
}

# "package version" of what apt would install today.
candidates() {
    local found package
    # One call for all: apt may have to parse its lists anew for each.
    found=$(apt-cache policy "$@" | sed -n 's/^\([^ ]*\):$/\1/; T; N;N; s/\n.*Candidate: / /p')
    for package in "$@"; do
        grep -q "^$package [^(]" <<<"$found" || die "no package '$package'; is apt set up for Debian 12?"
    done
    printf '%s\n' "$found"
}

# This machine's own Debian sources, so that a local mirror is used, without its foreign ones.
debian_sources() {
    # shellcheck disable=SC2016 # apt fills these in
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 'Origin: Debian' 'Architecture: amd64' | sort -u
}

# This machine's ways of reaching them: proxies, timeouts, and so on.
apt_options() {
    apt-config dump |
        grep -E '^Acquire::(https?|ftp|Retries|ForceIPv|Check-|Allow|Proxy|Languages|Queue)' || true
}

# Fetches packages into $1 and unpacks each into $1/root.
fetch_packages() {
    local dir=$1 deb
    shift
    mkdir -p "$dir/root"
    (cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download "$@" >&2)
    for deb in "$dir"/*.deb; do
        rootly dpkg-deb -x "$deb" "$dir/root"
    done
}

# The package with the kernel itself, which the meta package only points at.
kernel_package() {
    apt-cache show --no-all-versions linux-image-cloud-amd64 |
        sed -n 's/^Depends: *\(linux-image-[^ ,]*\).*/\1/p'
}

### Disks

# ext4_into DISK OFFSET_MIB SIZE_MIB TREE UUID LABEL
ext4_into() {
    # Nothing is left for the kernel to initialise later: a boot must not be what completes an image.
    local options=offset=$(($2 * MIB)),hash_seed=$5,lazy_itable_init=0,lazy_journal_init=0
    if [[ -n ${SOURCE_DATE_EPOCH:-} ]]; then
        local -x E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH
    fi
    rootly mke2fs -q -F -t ext4 -U "$5" -L "$6" -E "$options" -d "$4" "$1" "$(($3 * 1024))k"
    e2fsck -fn "$1?offset=$(($2 * MIB))" >"$scratch/e2fsck.log" 2>&1 ||
        die "the new file system is not clean: $(cat "$scratch/e2fsck.log")"
}

# poke FILE OFFSET HEX: overwrites bytes in place.
poke() {
    # shellcheck disable=SC2001 # every pair gets a prefix, which ${//} cannot do
    printf '%b' "$(sed 's/../\\x&/g' <<<"$3")" |
        dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# A 64-bit little-endian number, as hex.
le64() {
    local i out=
    for ((i = 0; i < 64; i += 8)); do
        out+=$(printf '%02x' $((($1 >> i) & 255)))
    done
    printf '%s\n' "$out"
}

### GRUB

grub_modules=(
    normal configfile search search_fs_uuid search_label search_fs_file linux ext2 fat part_gpt part_msdos
    gzio serial terminal echo test minicmd ls cat halt reboot loadenv
)

# The core finds its root by UUID, wherever the firmware put the disk.
grub_core() { # FORMAT UUID OUTPUT MODULE...
    local format=$1 uuid=$2 out=$3
    shift 3
    cat >"$scratch/early.cfg" <<END
search.fs_uuid $uuid root
set prefix=(\$root)/boot/grub
END
    grub-mkimage -O "$format" -p /boot/grub -c "$scratch/early.cfg" -o "$out" "${grub_modules[@]}" "$@"
}

# grub_bios DISK UUID FIRST_SECTOR ROOM_SECTORS: what grub-bios-setup does, without asking for a block device.
grub_bios() {
    local disk=$1 uuid=$2 first=$3 room=$4 core=$scratch/core.img boot=$scratch/boot.img
    grub_core i386-pc "$uuid" "$core" biosdisk
    (($(stat -c %s "$core") <= room * SECTOR)) || die "GRUB's core does not fit into $room sectors"
    cp /usr/lib/grub/i386-pc/boot.img "$boot"
    poke "$boot" $((0x5c)) "$(le64 "$first")"         # where the core's first sector lies
    poke "$boot" $((0x66)) 9090                       # hard disk: do not trust the BIOS's drive number
    poke "$core" $((0x1f4)) "$(le64 $((first + 1)))"  # where the rest of it lies
    # The partition table begins at byte 440.
    dd if="$boot" of="$disk" bs=440 count=1 conv=notrunc status=none
    dd if="$core" of="$disk" bs=$SECTOR seek="$first" conv=notrunc status=none
}

# grub_cfg KERNEL_VERSION UUID TITLE
grub_cfg() {
    cat <<END
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set default=0
set timeout=0

menuentry '$3' --class debian --class gnu-linux --class gnu --class os {
	search --no-floppy --fs-uuid --set=root $2
	echo 'Loading Linux $1 ...'
	linux /boot/vmlinuz-$1 root=UUID=$2 ro console=tty0 console=ttyS0,115200
	echo 'Loading initial ramdisk ...'
	initrd /boot/initrd.img-$1
}
END
}

### The recipe's command line

recipe_main() {
    case ${1:-} in
    versions) # what the image's cache key hangs on, besides the recipe itself
        apt_lists
        candidates "${packages[@]}" "${tools[@]}"
        ;;
    index) # its fields of the repository's index
        index_fields
        ;;
    build) # build FILE: the raw disk image
        [[ -n ${2:-} ]] || die "build needs the name of the image to make"
        apt_lists
        make_scratch
        build "$scratch/disk"
        cp --sparse=always "$scratch/disk" "$2"
        ;;
    *)
        die "usage: ${0##*/} versions | index | build FILE"
        ;;
    esac
}
