#!/bin/bash
# kiln boot as its user sees it, with a QEMU that is played (tests/fakes) except where locks are
# concerned: outcomes, what they are told as, and what is left behind.
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1

real_path=$PATH
export PATH=$top/tests/fakes:$PATH KILN_KVM_DEVICE=/nonexistent TMPDIR=$tmp/overlays
mkdir "$TMPDIR"
truncate -s 1M disk.img seed.iso

fails 2 'kiln boot --help' 'a disk is needed' "$kiln" boot
fails 2 'neither bios nor uefi' 'firmware is checked' "$kiln" boot disk.img --firmware efi
fails 2 'is not a verdict.*cloud-init-done' 'the expectation is checked' "$kiln" boot disk.img --expect fine
fails 1 'nothing.img: ' 'a missing image is named' "$kiln" boot nothing.img
fails 1 'nothing.iso: ' 'so is a missing seed' "$kiln" boot disk.img --seed nothing.iso
fails 1 'directory' 'a directory is no disk' "$kiln" boot "$TMPDIR"

fails 2 "'bochs' is none of auto, kvm, qemu" 'so is the engine' "$kiln" boot disk.img --engine bochs
fails 2 'between 32M and 1T' 'so is no memory at all' "$kiln" boot disk.img --memory 0
fails 2 'between 1 and 255' 'and a number of processors that no machine has' "$kiln" boot disk.img --cpus 256
fails 2 'is not HOST:GUEST' 'a forward has two ports' "$kiln" boot disk.img --forward 2222
fails 2 'between 1 and 65535' 'that are ports' "$kiln" boot disk.img --forward 2222:65536
fails 2 'switches it off' 'and needs the network' "$kiln" boot disk.img --no-network --forward 2222:22
fails 2 'add --forward HOST:22' 'a port to wait for must be reached' "$kiln" boot disk.img --wait-port 22 --forward 8080:80
fails 2 '--wait-for.*[Uu]nmatched' 'a pattern must be one' "$kiln" boot disk.img --wait-for 'a('
fails 2 'line-seen needs --wait-for' 'a line is expected only where it is waited for' "$kiln" boot disk.img --expect line-seen
fails 2 'kiln seed makes one' '--run needs a seed' "$kiln" boot disk.img --run true
fails 1 'must be an ISO image' 'that can be added to' "$kiln" boot disk.img --seed seed.iso --run true
fails 2 'no meaning with --firmware' 'another kernel is no firmware' "$kiln" boot disk.img --firmware bios --kernel disk.img
fails 1 'disk.img: is not a kernel for x86-64' 'a kernel must be one' "$kiln" boot disk.img --kernel disk.img
fails 1 'nothing: ' 'a missing kernel is named' "$kiln" boot disk.img --kernel nothing

# No QEMU, no firmware: what to install.
mkdir none
fails 1 'install qemu-system-x86 \(Debian' 'without QEMU the package is named' env "PATH=$tmp/none" "$kiln" boot disk.img
KILN_OVMF_DIR=$tmp/none fails 1 'OVMF_CODE.fd' 'without OVMF its files are named' "$kiln" boot disk.img --firmware uefi

# A good end, told in every way.
export FAKE_QEMU=prompt
run "$kiln" boot disk.img --console-log console.log --json --junit outcome.xml
is "$status" 0 'a login prompt is a success'
is "$(jq -r '.verdict, .passed, .image_unchanged, .accelerator, .reason' <<<"$out" | paste -sd' ')" \
    'login-prompt true true tcg fake login:' 'JSON tells it'
like "$(jq -r .digest_after <<<"$out")" '^[0-9a-f]{64}$' 'a digest of the image is told'
is "$(jq -r .digest_before <<<"$out")" "$(jq -r .digest_after <<<"$out")" 'the same as before the boot'
like "$(cat outcome.xml)" '<testsuite [^>]*tests="1"[^>]*failures="0"' 'JUnit tells it'
like "$(cat console.log)" 'fake login: ' 'the console is logged'
like "$err" 'Emulating, without KVM: /nonexistent does not exist' 'why it is emulated is said'
fails 1 'panic|login-prompt' 'another verdict than the expected one fails' "$kiln" boot disk.img --expect panic
run "$kiln" boot -q disk.img
is "$status$out$err" 0 'with -q a success is silent'

# The default log: only in a directory of the user's own, never through a link.
logs=$XDG_STATE_HOME/kiln/console
is "$(stat -c %a "$XDG_STATE_HOME/kiln" "$logs" "$logs/disk.img.log" | paste -sd' ')" '700 700 600' 'the log is private'
echo precious >precious
ln -sf "$tmp/precious" "$logs/disk.img.log"
ok 'a link in the place of the log is replaced' "$kiln" boot disk.img
is "$(cat precious)" precious 'and not followed'
like "$(cat "$logs/disk.img.log")" 'fake login: ' 'the log is a file'
chmod 770 "$logs"
fails 1 'kiln/console: its group may write.*chmod go-w' 'a directory that others write into is refused' "$kiln" boot disk.img
chmod 700 "$logs"
mv "$logs" elsewhere
ln -s "$tmp/elsewhere" "$logs"
fails 1 'kiln/console: is not a directory \(links are not followed\)' 'so is a link to one' "$kiln" boot disk.img
like "$err" '--console-log FILE' 'with the remedy'
rm "$logs"
if [ "$(id -u)" = 0 ]; then
    mkdir "$logs" && chown 12345 "$logs"
    fails 1 'belongs to another user' 'so is that of another user' "$kiln" boot disk.img
    rmdir "$logs"
else
    skip 'so is that of another user' 'only root can make one'
fi
fails 1 'HOME is not set.*--console-log' 'without HOME no place is guessed' env -u HOME -u XDG_STATE_HOME "$kiln" boot disk.img
fails 1 'HOME is not set' 'a relative place counts as none' env -u HOME XDG_STATE_HOME=state "$kiln" boot disk.img
ok 'a named log needs neither' env -u HOME -u XDG_STATE_HOME "$kiln" boot disk.img --console-log named.log
ok 'an absolute HOME will do' env -u XDG_STATE_HOME "$kiln" boot disk.img
ok 'its place is .local/state' test -s "$HOME/.local/state/kiln/console/disk.img.log"

# Another kernel: a boot header and nothing else is enough for a QEMU that boots nothing.
truncate -s 4096 kernel
printf '\x55\xaaxxHdrS' | dd of=kernel bs=1 seek=510 conv=notrunc status=none
export FAKE_QEMU_ARGS=$tmp/args
run "$kiln" boot disk.img --engine qemu --kernel kernel --initrd seed.iso --append 'quiet root=/dev/vda' --forward 2222:22 --forward 8080:80
is "$status" 0 'a kernel, an initrd and forwards are taken'
like "$out" 'Booted by: kernel kernel' 'and told'
args=$(cat "$tmp/args")
like "$args" $'\n-append\nquiet root=/dev/vda console=ttyS0,115200\n' 'the command line with a serial console'
like "$args" $'\n-initrd\n/proc/self/fd/' 'the initrd'
like "$args" 'user,id=net,hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=tcp:127.0.0.1:8080-:80' 'the forwards, on 127.0.0.1 alone'
unlike "$args" 'virtserialport' 'without a seed there is no port for results'
run "$kiln" boot disk.img --engine qemu --persist --hugepages --timeout 10s
args=$(cat "$tmp/args")
like "$args" '"read-only":false' '--persist reaches QEMU'
like "$args" 'memory-backend-memfd,id=memory,size=524288K,hugetlb=on' 'and --hugepages'
like "$err" 'Asking the guest to switch itself off.*did not switch itself off in time' 'a guest that does not switch itself off is told of'
unset FAKE_QEMU_ARGS
run "$kiln" boot disk.img --wait-for '^fake lo[a-z]+:'
is "$status" 0 'a line that is waited for'
like "$out" 'Verdict: line-seen \(as expected' 'is told as such'
run "$kiln" boot disk.img --wait-for 'no such line' --timeout 300ms
is "$status" 1 'one that does not come is a failure'
like "$out" 'Verdict: timeout.*no line of the console matched' 'and says so'

# What the guest tells by itself.
"$kiln" seed -q -o real.iso --hostname web1
export FAKE_QEMU_RESULTS=$tmp/results
stages() { # ERRORS RECOVERABLE
    printf '{"v1": {"datasource": "DataSourceNoCloud [seed=/dev/vdb]", "stage": null, "init": {"errors": [], "start": 1.5},'
    printf ' "modules-final": {"errors": [%s], "recoverable_errors": {%s}}}}' "$1" "$2"
}
section() { printf '%s %d\n%s\n' "$1" "${#2}" "$2"; }
tells() { # STATUS-JSON EXIT OUT ERR
    printf 'kiln-results 1\n'
    section status "$1"
    section exit "$2"
    section stdout "$3"
    section stderr "$4"
    section end ''
}
boot_telling() { FAKE_QEMU=tell run "$kiln" boot disk.img --engine qemu --seed real.iso "$@"; }

tells "$(stages '' '')" 0 'all is well' '' >results
boot_telling --run "echo 'all is well'" --json
is "$status" 0 'a command that succeeds is a success'
is "$(jq -r '.verdict, .run.exit_status, .run.stdout, .cloud_init.datasource' <<<"$out" | paste -sd'|')" \
    'cloud-init-done|0|all is well|DataSourceNoCloud [seed=/dev/vdb]' 'JSON tells its output, and of cloud-init'
bsdtar -xOf results.seed vendor-data >vendor-data
python3 -c 'import email, sys
part = email.message_from_binary_file(open("vendor-data", "rb")).get_payload()[0]
assert part.get_content_type() == "text/x-shellscript", part.get_content_type()
sys.stdout.buffer.write(part.get_payload(decode=True))' >script
ok 'what the seed carries is a script' sh -n script
is "$(sed -n 's/^command=//p' script)" "'echo '\\''all is well'\\'''" 'with the command, quoted'
is "$(bsdtar -xOf results.seed user-data meta-data | sha256sum)" "$(bsdtar -xOf real.iso user-data meta-data | sha256sum)" \
    'the rest of the seed is as it was'
tells "$(stages '' '')" 3 'some words' 'why not' >results
boot_telling --run false --junit command.xml
is "$status" 1 'a command that fails is a failure'
like "$out" 'Verdict: cloud-init-done.*Command: ended with status 3.*some words.*why not' 'and told with its output'
like "$(cat command.xml)" '<failure type="command-failed" message="why not' 'JUnit tells it'
tells "$(stages "\"('scripts_user', RuntimeError('Runparts: 1 failures'))\"" '')" 0 '' '' >results
boot_telling
is "$status" 1 'cloud-init may tell of an error that the console does not show'
like "$out" "Verdict: cloud-init-failed.*Because: modules-final, module scripts_user: RuntimeError\('Runparts: 1 failures'\)" \
    'which names the module and its error'
tells "$(stages '' '"WARNING": ["Failed loading yaml blob"]')" 0 '' '' >results
boot_telling
like "$out" 'Verdict: cloud-init-degraded.*Because: modules-final: Failed loading yaml blob' 'and of a warning'
truncate -s 100 results
boot_telling --run true --timeout 10s
like "$out" 'Verdict: timeout.*cloud-init-done, but the guest did not report' 'a command that does not end is a timeout'
head -c 100000 /dev/urandom >results
boot_telling
is "$status" 0 'nonsense from the guest changes nothing'

# cloud-init's own reader, on a seed that has vendor-data already.
if /usr/bin/python3 -c 'import cloudinit' 2>/dev/null; then
    printf '#cloud-config\npackage_update: false\n' >vendor.yaml
    "$kiln" seed -q -o vendor.iso --vendor-data vendor.yaml --hostname web1
    tells "$(stages '' '')" 0 '' '' >results
    FAKE_QEMU=tell run "$kiln" boot disk.img --engine qemu --seed vendor.iso
    bsdtar -xOf results.seed vendor-data >vendor-data
    is "$(/usr/bin/python3 -c 'from cloudinit import helpers, user_data
paths = helpers.Paths({"cloud_dir": "/nonexistent", "run_dir": "/nonexistent"})
for part in user_data.UserDataProcessor(paths).process(open("vendor-data", "rb").read()).walk():
    if not part.is_multipart(): print(part.get_content_type(), part.get_filename())' | paste -sd'|')" \
        'text/x-shellscript kiln-results|text/cloud-config part-002' 'vendor-data of its own stays, beside the script'
else
    skip 'vendor-data of its own stays, beside the script' 'the package cloud-init is not installed'
fi

# Bad ends.
FAKE_QEMU=panic run "$kiln" boot disk.img --console-log console.log --junit outcome.xml
is "$status" 1 'a panic is a failure'
like "$out" 'Verdict: panic' 'and told as such'
like "$(cat outcome.xml)" 'failures="1".*<failure type="panic"' 'JUnit tells it, too'
like "$(cat console.log)" 'told afterwards' "the log holds what followed the panic's line"
FAKE_QEMU=panic ok 'a panic can be what is expected' "$kiln" boot disk.img --expect panic
FAKE_QEMU=crash fails 1 'cannot set up guest memory' 'a QEMU that fails is quoted' "$kiln" boot disk.img
FAKE_QEMU=no-space fails 1 'set TMPDIR' 'a full disk is explained' "$kiln" boot disk.img
FAKE_QEMU=silent run "$kiln" boot disk.img --timeout 300ms
is "$status" 1 'silence is a failure'
like "$out" 'Verdict: timeout' 'and told as a timeout'
FAKE_QEMU=prompt run "$kiln" boot disk.img --seed seed.iso --timeout 10s
like "$out" 'Verdict: timeout.*login prompt appeared.*cloud-init did not finish' 'with a seed a prompt is not enough'
FAKE_QEMU=scribble FAKE_QEMU_SCRIBBLE=disk.img run "$kiln" boot disk.img
is "$status" 1 'a changed image is a failure'
like "$out" 'Image: CHANGED' 'and told'
is "$(ls -A "$TMPDIR")" '' 'no overlay is left'

# KVM that is none, and KVM that only pretends.
KILN_KVM_DEVICE=/dev/null run "$kiln" boot disk.img
like "$err" 'without KVM: /dev/null is not a KVM device' 'a device that is not KVM is seen through'
if [ -w /dev/kvm ]; then
    KILN_KVM_DEVICE=/dev/kvm run "$kiln" boot disk.img
    is "$status" 0 '/dev/kvm, whatever it is, is judged and the boot goes on'
    like "$err" 'Running on KVM|only emulates' 'and what it is worth is said'
else
    skip '/dev/kvm is judged' 'there is none, or not for us'
fi

# Somebody at the console.
export FAKE_QEMU=echo
sit() { "$kiln" boot disk.img -i --console-log sat.log < <(eventually test -s sat.log; printf '%b' "$1"); }
sit_at() { # KEYS, typed when there is a prompt
    rm -f sat.log
    sit "$1" >sat.out 2>sat.err
    status=$? out=$(<sat.out) err=$(<sat.err)
}
sit_at 'hello\noff\n'
is "$status" 0 'a machine that was worked with ends well'
like "$(tr '\n' ' ' <<<"$out")" 'typed: hello.*typed: off.*Verdict: login-prompt' 'when it switches itself off; what it prints is shown'
like "$(tr '\n' ' ' <sat.log)" 'typed: hello.*typed: off' 'and logged'
like "$err" 'Ctrl-\]' 'the way out is told'
sit_at 'hello\x1d'
is "$status" 0 'Ctrl-] ends the machine'
like "$out" 'Verdict: login-prompt' 'with the verdict that was sure by then'
FAKE_QEMU=silent-polite run bash -c 'printf "\x1d" | "$0" boot disk.img --interactive' "$kiln"
is "$status" 1 'before anything is sure that is no success'
like "$out" 'Verdict: interrupted' 'but a verdict of its own'
like "$out" 'Time: [0-9]{1,2}\.' 'long before the time limit'
FAKE_QEMU=silent-polite run "$kiln" boot disk.img -i --timeout 1s
like "$out" 'Verdict: timeout' 'without anybody the time limit holds'
fails 2 'both use standard output' 'a program does not sit there' "$kiln" boot disk.img -i --json

# On a terminal, which must be whole again however it ends. script(1) makes one.
on_terminal() { # COMMANDS KEYS
    printf '%s\n' 'stty -a >before.tty' "$1" 'stty -a >after.tty' >sitting
    rm -f sat.log ./*.tty
    { eventually test -s sat.log; printf '%b' "$2"; sleep 1; } |
        timeout 300 script -qec 'bash ./sitting' /dev/null >screen 2>&1
}
sitting="'$kiln' boot disk.img -i --console-log sat.log"
on_terminal "$sitting; echo \"ended with \$?\"" 'hello\n\003\noff\n'
like "$(cat screen)" 'ended with 0' 'it works on a terminal'
like "$(cat -v screen)" 'typed: \^C' 'the guest gets Ctrl-C'
is "$(cat after.tty)" "$(cat before.tty)" 'the terminal is as it was'
for signal in TERM INT HUP; do
    on_terminal "(until [ -s sat.log ]; do sleep 0.1; done; stty -a -F /dev/tty >raw.tty; pkill -$signal -P \$\$ kiln) & $sitting; echo \"ended with \$?\"" ''
    like "$(cat screen)" "ended with $((128 + $(kill -l $signal)))" "SIG$signal ends it"
    is "$(cat after.tty)" "$(cat before.tty)" "also after SIG$signal"
done
like "$(cat raw.tty)" '-icanon' 'which found it raw'
export FAKE_QEMU=prompt

# What the firmware's tables tell.
export FAKE_QEMU_ARGS=$tmp/args
run "$kiln" boot -q disk.img --smbios 'type=1,serial=ds=nocloud;s=http://10.0.2.2/' --smbios type=11,value=a=b,value=c,,d
is "$status" 0 'a serial number and texts are taken'
like "$(paste -sd' ' "$FAKE_QEMU_ARGS")" '-smbios type=1,serial=ds=nocloud;s=http://10.0.2.2/ -smbios type=11,value=a=b -smbios type=11,value=c,,d ' 'and told to the machine'
fails 2 "'uuid=1' of type=1 is not known; these are" 'others are not known' "$kiln" boot disk.img --smbios type=1,uuid=1
fails 2 "'type=1' is not type=N,KEY=TEXT" 'a type alone says nothing' "$kiln" boot disk.img --smbios type=1
fails 2 'control characters' 'lines end nowhere' "$kiln" boot disk.img --smbios $'type=1,serial=a\nb'

# A real QEMU that writes to the image keeps us out; several boots get along.
PATH=$real_path hold disk.img
fails 1 'disk.img: the image is in use' 'an image that a machine writes to is refused' "$kiln" boot disk.img
let_go
"$kiln" boot disk.img --console-log one.log >/dev/null 2>&1 &
one=$!
run "$kiln" boot disk.img --console-log two.log
is "$status" 0 'one boot of two at once'
wait "$one"
is $? 0 'and the other'
finish
