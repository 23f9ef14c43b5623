#!/bin/bash
# kiln's own runner on a real KVM (tests/kvmbox), where it is made hard for it: fifty boots in a row,
# signals, disks that fail, vanish, hang or are full, a guest that never ends to print or never speaks,
# huge pages. A stock kernel takes a quarter of a minute to boot in the box, so that five of the fifty
# boots are of one; in the others a guest of a few instructions (tests/long/tiny.S) switches itself off.
# memory: 4G
. "$(dirname "$0")/../cli/lib.sh"
cd "$tmp" || exit 1
kvmbox=$top/tests/kvmbox
boots=${KILN_UNIT:-$top/build/unit}/vmm/test_kvm_boots

kernel=$(find /boot -name 'vmlinuz-*-cloud-amd64' | sort -V | tail -n 1)
modules=/lib/modules/${kernel#/boot/vmlinuz-}/kernel
[ -n "$kernel" ] || { echo 'Bail out! no kernel: linux-image-cloud-amd64'; exit 1; }
[ -x "$boots" ] || { echo "Bail out! no $boots: make unit-bins"; exit 1; }
gcc -nostdlib -static -no-pie -Wl,-n,-Ttext-segment=0x100000,--build-id=none -o tiny "$top/tests/long/tiny.S" ||
    { echo 'Bail out! no small guest'; exit 1; }

# The smallest guest of a stock kernel, which does what its command line says.
drivers='virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk'
mkdir -p root/{bin,dev,proc,sys}
cp -L "$(type -P busybox)" root/bin/busybox
for name in $drivers; do find "$modules" -name "$name.ko" -exec cp {} root/ \;; done
echo "$drivers" >root/drivers
cat >root/init <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc
mount -t devtmpfs none /dev
grep -q drive.off /proc/cmdline && poweroff -f
for name in $(cat /drivers); do insmod "/$name.ko"; done
echo 'inside: at work' >/dev/ttyS0
grep -q drive.write /proc/cmdline && tr '\0' x </dev/zero | dd of=/dev/vda bs=1M count=90 iflag=fullblock conv=fsync
while :; do
    dd if=/dev/vda of=/dev/null bs=64k
    echo 3 >/proc/sys/vm/drop_caches
done
END
chmod 755 root/init
(cd root && find . | cpio -o -H newc --quiet | gzip -9) >initrd.gz
head -c 8M /dev/urandom >disk.img
qemu-img convert -q -O vdi disk.img disk.vdi

cat >inside <<'END'
small="disk.img --format raw --engine kvm --kernel tiny"
stock="--engine kvm --kernel vmlinuz --initrd initrd.gz --memory 128M --no-network"
tell() { echo "$*" >>out/facts; }
boot() { # NAME ARGUMENT...
    name=$1 began=$(date +%s)
    shift
    kiln boot "$@" --json --console-log "out/$name.log" >"out/$name.json" 2>"out/$name.err"
    tell "$name status $? seconds $(($(date +%s) - began))"
}
left() {
    echo "processes $(ps | grep -cE '[k]iln boot|[q]emu-nbd') files $(ls -A "$TMPDIR" | wc -l) ports $(netstat -ltn | grep -c :2222)"
}
# Processes and ports may take a moment to go.
left_in_the_end() {
    for i in $(seq 120); do
        [ "$(left)" != 'processes 0 files 0 ports 0' ] || break
        sleep 1
    done
    left
}
# Sends kiln the signal once its machine runs: it listens for the forward then.
signal_when_listening() {
    for i in $(seq 120); do
        netstat -ltn >out/ports
        grep -q :2222 out/ports && break
        sleep 1
    done
    grep -c :2222 out/ports >out/listening
    sleep 1
    killall -"$1" kiln
}
# Runs the rest once the guest is at work.
when_at_work() {
    log=out/$1.log
    shift
    (until grep -qa 'at work' "$log" 2>/dev/null; do usleep 100000; done; sleep 1; "$@") &
}

KILN_TINY_GUEST=$PWD/tiny ./boots >out/boots 2>&1
tell "boots status $?"
failed=0
for i in $(seq 20); do
    kiln boot $small -q --append off --expect power-off --forward 2222:22 2>>out/row.err || failed=$((failed + 1))
done
for i in 1 2 3 4 5; do boot "stock$i" disk.img --format raw $stock --append 'console=ttyS0 quiet drive.off' --expect power-off; done
tell "row failed $failed $(left_in_the_end)"

# Standard error is a terminal here.
for signal in INT TERM; do
    settings=$(stty -g -F /dev/ttyS2)
    signal_when_listening $signal &
    kiln boot $small --append silence --timeout 5m --forward 2222:22 --console-log out/$signal.log >/dev/null
    status=$?
    wait
    [ "$settings" = "$(stty -g -F /dev/ttyS2)" ] && same=yes || same=no
    tell "signal $signal status $status listened $(cat out/listening) restored $same $(left_in_the_end)"
done

boot silence $small --append silence --timeout 5s --expect timeout
kiln boot $small --append flood --timeout 8s --expect timeout --memory 64M --console-log out/flood.log --json >out/flood.json 2>out/flood.err &
# Neither the guest's memory nor the console may pile up. What has ended has no memory.
peak=0
while now=$(awk '/VmHWM/ { print $2 }' /proc/$!/status) && [ -n "$now" ]; do
    peak=$now
    sleep 1
done
tell "flood peak $peak log $(stat -c %s out/flood.log)"
wait $!
tell "flood status $?"
: >out/flood.log

pool=/proc/sys/vm/nr_hugepages
boot no-pool $small --append off --hugepages --memory 64M
echo 40 >$pool
boot pool $small --append off --hugepages --memory 64M --expect power-off
tell "pool $(cat $pool) free $(awk '/HugePages_Free/ { print $2 }' /proc/meminfo)"
echo 0 >$pool

# Cut off while it is read.
cp disk.img short.img
when_at_work short truncate -s 0 short.img
boot short short.img --format raw $stock --append 'console=ttyS0 quiet loglevel=4' --timeout 3m
# A disk whose server goes away, and one whose server does not answer any more.
when_at_work gone killall -KILL qemu-nbd
boot gone disk.vdi $stock --append 'console=ttyS0 quiet loglevel=4' --timeout 3m
when_at_work hung killall -STOP qemu-nbd
mkdir other && TMPDIR=$PWD/other boot hung disk.vdi $stock --append 'console=ttyS0 quiet loglevel=4' --timeout 50s
tell "hung left $(left_in_the_end)"
# No room for what the guest writes.
mkdir narrow && mount -t tmpfs -o size=20M none narrow
truncate -s 96M wide.img
TMPDIR=$PWD/narrow boot full wide.img --format raw $stock --append 'console=ttyS0 quiet loglevel=4 drive.write' --timeout 3m
tell "full left $(ls -A narrow | wc -l)"
tell "end $(left_in_the_end)"
exit 0
END
run "$kvmbox" --timeout 2400 --memory 3072 --out out --file "$kernel:vmlinuz" --file initrd.gz:initrd.gz --file tiny:tiny \
    --file disk.img:disk.img --file disk.vdi:disk.vdi --file "$boots:boots" --file inside:inside --with "$boots" --with qemu-nbd -- sh ./inside
is "$status" 0 'the box runs'
[ "$status" -eq 0 ] || show | sed 's/^/# /'
grep '^kvmbox: ' <<<"$err" | sed 's/^/# /'
sed 's/^/# /' out/facts
fact() { grep "^$1 " out/facts; }

is "$(fact boots)" 'boots status 0' 'machines in one process leave no descriptor, thread or memory behind'
[ "$(fact boots)" = 'boots status 0' ] || sed 's/^/# /' out/boots
for i in 1 2 3 4 5; do like "$(fact "stock$i")" 'status 0 ' "a stock kernel boots, time $i"; done
is "$(fact row)" 'row failed 0 processes 0 files 0 ports 0' 'of boots in a row nothing is left'
is "$(fact 'signal INT')" 'signal INT status 130 listened 1 restored yes processes 0 files 0 ports 0' \
    'SIGINT ends all, and leaves the terminal as it was'
is "$(fact 'signal TERM')" 'signal TERM status 143 listened 1 restored yes processes 0 files 0 ports 0' 'so does SIGTERM'
like "$(fact silence)" 'status 0 seconds ([5-9]|[1-5][0-9])$' 'a guest that never speaks ends in time'
is "$(fact 'flood status')" 'flood status 0' 'so does one that never stops to speak'
like "$(fact 'flood peak')" 'peak (1[0-9]|[0-9])[0-9]{3} ' 'in bounded memory'
like "$(fact no-pool)" 'status 1 ' 'huge pages need a pool'
like "$(cat out/no-pool.err)" 'huge pages \(sysctl vm.nr_hugepages\)' 'which is said'
like "$(fact 'pool status')" 'status 0 ' 'where there is one they are taken'
is "$(fact 'pool 40')" 'pool 40 free 40' 'and given back'
outcome() { # NAME MESSAGE DESCRIPTION: a disk that failed
    like "$(fact "$1 status")" 'status 1 ' "$3: fails"
    like "$(cat "out/$1.err")" "$2" "$3: which is told"
    like "$(tr -d '\0' <"out/$1.log")" 'I/O error, dev vda' "$3: the guest sees an error"
}
outcome short 'short\.img: ' 'a disk that is cut off'
outcome gone 'disk\.vdi: ' 'a disk that vanishes'
outcome full 'TMPDIR' 'a full disk under the overlay'
is "$(fact 'full left')" 'full left 0' 'nothing is left on it'
like "$(fact 'hung status')" 'status 1 seconds ([5-9][0-9]|1[01][0-9])$' 'a disk that hangs does not keep kiln beyond its time'
is "$(jq -r .verdict out/hung.json)" timeout 'that is a timeout'
is "$(fact 'hung left')" 'hung left processes 0 files 0 ports 0' 'nothing is left of it'
is "$(fact end)" 'end processes 0 files 0 ports 0' 'nor of all the others'
finish
