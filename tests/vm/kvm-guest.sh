# shellcheck shell=bash disable=SC2034,SC2154
# Sourced behind tests/cli/lib.sh by the scripts that boot guests by kiln's own runner in tests/kvmbox: the
# kernels, and a guest of a kernel alone, which says what it finds. Makes initrd.gz in the current directory.

kvmbox=$top/tests/kvmbox
newest() { find /boot -name "vmlinuz-*$1" ! -name "$2" | sort -V | tail -n 1; }
cloud=$(newest -cloud-amd64 '')
stock=$(newest -amd64 '*-cloud-amd64')
[ -n "$cloud" ] && [ -n "$stock" ] || { echo 'Bail out! no kernels: linux-image-amd64 and linux-image-cloud-amd64'; exit 1; }

mkdir -p root/{bin,dev,proc,sys}
cp -L "$(type -P busybox)" root/bin/busybox
cat >root/init <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc
mount -t sysfs none /sys
if grep -q talk /proc/cmdline; then
    echo 'say something'
    read -r line
    echo "heard: $line; serial $(cat /sys/class/dmi/id/product_serial); texts $(grep -ac kiln-text /sys/firmware/dmi/tables/DMI)"
fi
echo "inside: cpus=$(grep -c ^processor /proc/cpuinfo) acpi=$([ -d /sys/firmware/acpi/tables ] && echo yes) memory=$(awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo)"
poweroff -f
END
chmod 755 root/init
(cd root && find . | cpio -o -H newc --quiet | gzip -9) >initrd.gz

# What is prepended to the commands in the box: try NAME ARGUMENT... boots mini.img, and puts what comes
# of it into out/.
try='try() {
    name=$1
    shift
    kiln boot mini.img --engine kvm --timeout 60m --json --console-log "out/$name.log" "$@" >"out/$name.json" 2>"out/$name.err"
    echo "$name: status $?"
}'

# box DIR ARGUMENT...: runs ./inside in the box; what it leaves in out/ comes to DIR.
box() {
    run "$kvmbox" --out "$1" --file inside:inside "${@:2}" -- sh ./inside
    is "$status" 0 'the box runs'
    [ "$status" -eq 0 ] || show | sed 's/^/# /'
    grep '^kvmbox: ' <<<"$err" | sed 's/^/# /'
}

# outcome NAME WANTED DESCRIPTION: verdict, engine, accelerator, and whether the image is unchanged.
outcome() {
    local got
    got=$(jq -r '.verdict, .engine, .accelerator, .image_unchanged' "small/$1.json" 2>/dev/null | paste -sd' ')
    is "$got" "$2" "$3"
    [ "$got" = "$2" ] || { cat "small/$1.err"; tail -n 15 "small/$1.log"; } 2>/dev/null | sed 's/^/# /'
}
