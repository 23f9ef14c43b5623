#!/bin/bash
# Windows guests: virtio drivers, programs that the first boot installs, and what is refused, on an
# NTFS that the appliance serves. Afterwards libguestfs and hivexget are asked what is there.
. "$(dirname "$0")/../cli/lib.sh"
cd "$tmp" || exit 1
for tool in guestfish hivexregedit hivexget; do
    command -v $tool >/dev/null && continue
    skip 'a Windows guest' "no $tool here"
    finish
done

maker=$top/tests/long/make-windows
base=$test_cache/windows-$(sha256sum <"$maker" | head -c 16).img
[ -f "$base" ] || ok 'a disk that looks like Windows' "$maker" "$base"
[ -f "$base" ] || finish
cp --sparse=always "$base" windows.img

# Stand-ins for what is in virtio-win.iso; each file holds its own path.
for file in guest-agent/qemu-ga-x86_64.msi guest-agent/qemu-ga-i386.msi Balloon/w10/amd64/blnsvr.exe \
    {viostor,NetKVM,vioserial}/{w10,w11,2k22}/{amd64,x86}/driver.cat \
    viostor/{w10,2k22}/{amd64,x86}/viostor.{inf,sys} NetKVM/w10/amd64/netkvm.{inf,sys}; do
    mkdir -p "virtio-win/$(dirname "$file")"
    echo "$file" >"virtio-win/$file"
done

run timeout 900 "$kiln" inspect --json windows.img
is "$status" 0 'it is inspected'
[ "$status" -eq 0 ] || show | sed 's/^/# /'
is "$(jq -r '.os | [.type, .version, .arch, .hostname, .product_name] | join(" ")' <<<"$out")" \
    'windows 10.0 x86_64 WINBOX Windows 10 Phony' 'for what it is'

# No appliance is needed to see these.
fails 1 'osinfo is not supported' 'the method osinfo is refused' \
    "$kiln" customize -a windows.img --inject-virtio-win osinfo
like "$err" 'virtio-win\.iso' 'and the way named'
fails 1 'No such file' 'an absent image is told' "$kiln" customize -a windows.img --inject-qemu-ga nowhere.iso

before=$(sha256sum <windows.img)
mkdir empty
VIRT_TOOLS_DATA_DIR=$tmp/empty fails 1 'neither rhsrvany\.exe nor pvvxsvc\.exe' 'nothing runs at the first boot without a wrapper' \
    timeout 900 "$kiln" customize -a windows.img --write /never:x --firstboot-command 'echo x'
like "$err" 'VIRT_TOOLS_DATA_DIR' 'and the way is named'
is "$(sha256sum <windows.img)" "$before" 'nothing was touched'

mkdir tools
echo 'the wrapper' >tools/rhsrvany.exe
printf 'echo one\necho two\n' >script.bat
export VIRT_TOOLS_DATA_DIR=$tmp/tools
run timeout 900 "$kiln" customize -a windows.img --inject-virtio-win virtio-win --inject-qemu-ga virtio-win \
    --inject-blnsvr virtio-win --firstboot script.bat --firstboot-command 'net user Administrator /active:yes' \
    --append-line '/autoexec.bat:rem appended'
is "$status" 0 'drivers, programs and scripts in one go'
[ "$status" -eq 0 ] || show | sed 's/^/# /'
is "$(grep -c 'Starting the appliance' <<<"$out$err")" 1 'in one start of the appliance'

timeout 900 guestfish --ro --format=raw -a windows.img run : mount-ro /dev/sda1 / : \
    download /Windows/System32/Config/SYSTEM SYSTEM : download /Windows/System32/Config/SOFTWARE SOFTWARE : \
    tar-out / tree.tar >/dev/null 2>guestfish.err
mkdir tree && tar -xf tree.tar -C tree --no-same-owner
is "$(ls tree/Windows/Drivers/VirtIO | xargs)" 'blnsvr.exe driver.cat netkvm.inf netkvm.sys viostor.inf viostor.sys' \
    'the drivers for this release and processor are there'
is "$(cat tree/Windows/System32/Drivers/viostor.sys)" viostor/w10/amd64/viostor.sys 'and the one for disks where Windows starts it'
is "$(cat tree/autoexec.bat)" $'rem appended\r' 'other edits are there'

home="tree/Program Files/Guestfs/Firstboot"
is "$(cat "$home/rhsrvany.exe")" 'the wrapper' 'the wrapper of the first boot is there'
like "$(cat "$home/firstboot.bat")" 'scripts-done' 'and what it runs'
is "$(ls "$home/scripts" | xargs)" \
    '5000-0001-install-qemu-ga.bat 5000-0002-install-blnsvr.bat 5000-0003-script-bat.bat 5000-0004-net-user-Administrator--active-yes.bat' \
    'and its scripts, in order'
is "$(cat "$home/scripts/5000-0003-script-bat.bat")" $'echo one\r\necho two\r' 'with line ends of Windows'
is "$(cat tree/qemu-ga-x86_64.msi tree/blnsvr.exe)" $'guest-agent/qemu-ga-x86_64.msi\nBalloon/w10/amd64/blnsvr.exe' \
    'the programs to install are there'

value() { hivexget "$@" | tr -d '\0'; }
viostor='ControlSet001\Services\viostor'
is "$(value SYSTEM "$viostor" ImagePath)" 'system32\drivers\viostor.sys' 'hivexget sees the service'
is "$(value SYSTEM "$viostor" Start)" 0 'started by the boot loader'
is "$(value SYSTEM "$viostor" Group)" 'SCSI miniport' 'in its group'
is "$(value SYSTEM 'DriverDatabase\DriverPackages\guestor.inf_tmp\Configurations\guestor_conf' Service)" viostor \
    'and the driver package'
for id in 'VEN_1AF4&DEV_1001&REV_00' 'VEN_1AF4&DEV_1042&REV_01'; do
    like "$(hivexget SYSTEM "DriverDatabase\\DeviceIds\\PCI\\$id")" 'guestor.inf.=hex\(3\):01,ff,00,00' "for $id"
done
is "$(value SYSTEM 'ControlSet001\Services\firstboot' ImagePath)" \
    '"C:\Program Files\Guestfs\Firstboot\rhsrvany.exe" -s firstboot' 'the service of the first boot'
is "$(value SYSTEM 'ControlSet001\Services\Tcpip\Parameters' Hostname)" WINBOX 'what was there is there'
is "$(value SOFTWARE 'Microsoft\Windows\CurrentVersion' DevicePath)" \
    '%SystemRoot%\inf;%SystemRoot%\Drivers\VirtIO' 'Windows looks for drivers there'

before=$(sha256sum <windows.img)
run timeout 900 "$kiln" customize -a windows.img -n --write /new:x --root-password password:x
is "$status" 0 'a password has no meaning there, and the rest is done'
like "$err" 'only in a Linux guest; this one is of type windows' 'with a warning'
like "$out" '\+ /new' 'the rest is in the list of changes'
is "$(sha256sum <windows.img)" "$before" 'nothing was touched'
fails 1 'Windows guest cannot be prepared' 'sysprep is refused' timeout 900 "$kiln" sysprep windows.img
like "$err" 'SID' 'with the reason'
like "$err" 'sysprep\.exe /generalize' 'and the way'
is "$(sha256sum <windows.img)" "$before" 'and nothing was touched'
finish
