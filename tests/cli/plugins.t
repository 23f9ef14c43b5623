#!/bin/bash
# Parts of kiln in ../lib/kiln, which it loads when it needs them: what it does without them, and
# which files it does not take for them.
. "$(dirname "$0")/lib.sh"

program=$(realpath "$kiln")
here=$tmp/here
names=(appliance archive digest domain expand fetch nbd password regex registry slirp yaml)

# A copy of kiln with all its plugins.
install_kiln() {
    rm -rf "$here"
    mkdir -p "$here/bin" "$here/lib/kiln"
    cp "$program" "$here/bin/kiln"
    cp "${program%/*/*}"/lib/kiln/*.so "$here/lib/kiln"
    chmod -R go-w "$here"
}
# What doctor says of the plugins.
plugins() { "$here/bin/kiln" doctor | grep -A1 -E '^[a-z]+ +plugins '; }
# patch FILE FROM TO: bytes of the same length.
patch() { LC_ALL=C sed -i "s/$2/$3/g" "$1"; }

needed=$(objdump -p "$program" | awk '$1 == "NEEDED" { print $2 }')
unlike "$needed" 'guestfs|curl|crypto|archive|nbd|hivex|glib|lzma|yaml|xml2' 'few libraries are loaded at the start'

install_kiln
like "$(plugins)" '^ok ' 'a copy of the program and its plugins works'
is "$(cd "$here/lib/kiln" && echo *.so)" "${names[*]/%/.so}" 'and these are all'

# The program alone.
rm -rf "$here/lib"
printf '#cloud-config\nhostname: x\n' >"$tmp/user-data"
ok 'what needs no plugin works without them' "$here/bin/kiln" --version
fails 1 "$here/lib/kiln/yaml.so: No such file" 'a plugin that is not there is named' \
    "$here/bin/kiln" seed --user-data "$tmp/user-data" -o "$tmp/seed.iso"
like "$err" "make install" 'with what to do about it'
run "$here/bin/kiln" doctor
is "$status" 1 'doctor finds that they are missing'
for name in "${names[@]}"; do like "$out" "missing +plugins +$here/lib/kiln/$name.so" "$name.so among them"; done

# They are looked for in one place.
mkdir -p "$tmp/elsewhere/lib/kiln"
cp "${program%/*/*}"/lib/kiln/*.so "$tmp/elsewhere/lib/kiln"
cp "${program%/*/*}"/lib/kiln/*.so "$tmp/elsewhere"
cd "$tmp/elsewhere" || exit 1
like "$(LD_LIBRARY_PATH=$tmp/elsewhere plugins)" "missing .*$here/lib/kiln/" 'neither the environment nor the current directory counts'
cd "$top" || exit 1

install_kiln
chmod g+w "$here/lib/kiln/yaml.so"
like "$(plugins)" 'missing .*yaml.so: could have been written by others' 'a plugin that a group may write is not loaded'
chmod g-w,o+w "$here/lib/kiln/yaml.so"
like "$(plugins)" 'missing .*yaml.so: could have been written by others' 'nor one that all may write'
rm "$here/lib/kiln/yaml.so"
mkfifo -m 600 "$here/lib/kiln/yaml.so"
like "$(plugins)" 'missing .*yaml.so: is not a regular file' 'nor a pipe'
if [ "$(id -u)" = 0 ]; then
    install_kiln
    chown 12345 "$here/lib/kiln/yaml.so"
    like "$(plugins)" 'missing .*yaml.so: could have been written by others' 'nor one of another user'
else
    skip 'nor one of another user' 'only root can make one'
fi

install_kiln
version=$("$kiln" --version)
patch "$here/lib/kiln/yaml.so" "${version#kiln }" "$(tr 0-9 1-90 <<<"${version#kiln }")"
like "$(plugins)" 'missing .*yaml.so: does not come from the same build as this kiln' 'nor one of another version'
install_kiln
patch "$here/lib/kiln/yaml.so" kiln_plugin_abi kiln_plugin_xyz
like "$(plugins)" 'missing .*yaml.so: ' 'nor one that does not tell its version'

install_kiln
patch "$here/lib/kiln/yaml.so" 'libyaml-0\.so' 'libyamx-0.so'
like "$(plugins)" 'missing .*yaml.so: cannot be loaded: libyamx-0.so.2: cannot open' 'a library that a plugin needs and that is missing is named'
like "$(plugins)" 'install libyaml-0-2' 'with the package that has it'
finish
