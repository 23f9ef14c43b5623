#!/bin/bash
# Repositories: definitions, signatures with real keys, a real HTTP server, and everything that can be
# wrong with them.
. "$(dirname "$0")/lib.sh"
use_test_repo
cd "$tmp" || exit 1
conf=$XDG_CONFIG_HOME/kiln/repos.d
rm "$conf"/*.conf

export GNUPGHOME=$tmp/gnupg
mkdir -m 700 "$GNUPGHOME"
on_exit+=('gpgconf --kill all 2>/dev/null')
make_key() { gpg -q --batch --passphrase '' "${@:2}" --quick-gen-key "$1" ed25519 sign never 2>/dev/null; }
make_key 'Good <good@example.org>'
make_key 'Other <other@example.org>'
gpg -q --batch --passphrase '' --faked-system-time 20200101T000000 --quick-gen-key 'Old <old@example.org>' ed25519 sign 1y 2>/dev/null
for name in good other old; do gpg -q --batch --armor --export "$name@example.org" >$name.key; done
gpg -q --batch --export good@example.org >good.gpg
fingerprint=$(gpg --batch --with-colons --list-keys good@example.org | awk -F: '/^fpr/ {print $10; exit}')

mkdir web
cp "$repo/mini.xz" web/
entry() { # ID [LINE...]
    printf '[%s]\nname=Image %s\narch=x86_64\nfile=mini.xz\nformat=raw\nsize=%s\ncompressed_size=%s\nchecksum[sha512]=%s\nexpand=/dev/sda1\n' \
        "$1" "$1" "$(xz --robot -l web/mini.xz | awk '$1 == "totals" {print $5}')" "$(stat -c %s web/mini.xz)" "$(sha512sum <web/mini.xz | cut -d' ' -f1)"
    shift
    printf '%s\n' "$@"
}
entry good 'notes=Plain words.' ' More of them.' '' ' After an empty line.' 'notes[de]=Deutsche Worte.' >web/index
sign() { gpg -q --batch --yes --local-user "$1@example.org" "${@:4}" --clearsign --output "$3" "$2"; }
sign good web/index web/index.asc
define() { printf '[%s]\nuri=%s\n%s\n' "$1" "$2" "${3:+gpgkey=file://$tmp/$3}" >"$conf/$1.conf"; }
undefine() { rm -f "$conf"/*.conf; }

define good "file://$tmp/web/index.asc" good.key
ok 'a signed repository is listed' "$kiln" list
like "$out" 'good +x86_64 +Image good' 'with name, architecture and long name'
is "$("$kiln" list --json | jq -r '.templates[0]."os-version"')" good 'list --json'
is "$("$kiln" notes good)" $'Plain words.\nMore of them.\n\nAfter an empty line.' 'notes keep their lines'
is "$(LC_ALL=de_DE.UTF-8 "$kiln" notes good)" 'Deutsche Worte.' 'and come in the language asked for'
define good "file://$tmp/web/index.asc" good.gpg
ok 'a binary key serves as well' "$kiln" notes good
is "$(find /tmp -maxdepth 1 -name 'kiln-gpg.*' -newer web/index.asc | wc -l)" 0 'no keyring is left behind'

# Signatures. Each bad repository is a warning that names it, and hides no other.
refused() { # NAME INDEX KEY REGEX
    define "$1" "file://$tmp/web/$2" "$3"
    run "$kiln" list
    if [ "$status" -eq 0 ] && [[ $err =~ "repository $1 is left out" ]] && [[ $err =~ $4 ]] && [[ $out =~ ^good ]]; then
        pass "$1: is left out with a warning, the others are there"
    else
        fail "$1: is left out with a warning, the others are there" "$(show)"
    fi
    fails 1 "$1" "$1: an image that would be there is an error naming it" "$kiln" build not-there -o x.img
    rm "$conf/$1.conf"
}
entry bad >web/bad
cp web/bad web/unsigned
refused unsigned unsigned good.key 'not signed'
sign other web/bad web/foreign.asc
refused foreign foreign.asc good.key 'another key'
gpg -q --batch --yes --local-user old@example.org --faked-system-time 20200601T000000 --clearsign --output web/expired.asc web/bad 2>/dev/null
refused expired expired.asc old.key 'expired'
sign good web/bad web/tampered.asc
sed -i 's/Image bad/Image BAD/' web/tampered.asc
refused tampered tampered.asc good.key 'changed after signing'
sign good web/bad web/cut.asc
head -c 300 web/cut.asc >web/cut2.asc
refused cutsig cut2.asc good.key 'signature'
printf 'uri=file:///dev/null\n' >"$tmp/no.key"
refused nokey foreign.asc no.key 'no OpenPGP public key'
refused absentkey foreign.asc absent.key 'absent.key'
define keyless "file://$tmp/web/foreign.asc" ''
run "$kiln" list
like "$err" 'keyless is left out: .*no key is known' 'a repository without a key is refused'
rm "$conf/keyless.conf"

# Text around the signed block is not signed, and not read.
{ entry injected; echo; cat web/index.asc; echo; entry injected2; } >web/around.asc
define good "file://$tmp/web/around.asc" good.key
run "$kiln" list
unlike "$out" injected 'text outside the signed block is dropped'

# Detached signatures and --source.
gpg -q --batch --yes --local-user good@example.org --detach-sign --output web/index.sig web/index
define good "file://$tmp/web/index" good.key
ok 'a detached signature is accepted' "$kiln" notes good
undefine
ok '--source with --fingerprint' "$kiln" list --source "file://$tmp/web/index.asc" --fingerprint "$fingerprint"
fails 1 'another key' 'a wrong --fingerprint is refused' "$kiln" list --source "$tmp/web/index.asc" --fingerprint 0123456789012345678901234567890123456789
fails 1 'fingerprint' '--source without a key is refused' "$kiln" list --source "$tmp/web/index.asc"
ok '--no-check-signature accepts it' "$kiln" list --source "$tmp/web/index.asc" --no-check-signature
like "$out" 'good' 'and reads what is inside the armor'
ok 'and an unsigned one' "$kiln" list --source "$tmp/web/index" --no-check-signature

# Indexes that are signed well and wrong all the same.
wrong_index() { # NAME REGEX, index on stdin
    cat >web/wrong
    fails 1 "wrong:[0-9]+.*$2" "$1 is refused with file and line" "$kiln" list --source "$tmp/web/wrong" --no-check-signature
}
{ entry a; entry a; } | wrong_index 'an id twice for one architecture' 'twice'
entry a | sed 's/^file=.*/file=..\/..\/etc\/shadow/' | wrong_index 'a path that climbs out' 'outside of the repository'
entry a | sed 's/^file=.*/file=sub\/%2e%2e\/x/' | wrong_index 'an encoded climb' 'outside of the repository'
entry a | sed 's/^file=.*/file=\/etc\/shadow/' | wrong_index 'an absolute path' 'outside of the repository'
entry a | sed 's/^size=.*/size=12monkeys/' | wrong_index 'a bad number' 'not a number'
entry a | sed 's/^size=.*/size=99999999999999999999999/' | wrong_index 'a number too large' 'not a number'
entry a | sed 's/^size=.*/size=-1/' | wrong_index 'a negative number' 'not a number'
entry a | sed 's/^checksum.*/checksum[sha512]=abc/' | wrong_index 'a short checksum' 'checksum'
entry a | sed '/^file=/d' | wrong_index 'an entry without file' 'missing'
entry a 'just words' | wrong_index 'a line of no form' 'neither'
echo 'name=x' | wrong_index 'a field before any section' 'before the first'
head -c 100000 /dev/zero | tr '\0' x | wrong_index 'a line of 100 kB' 'line of more than'
entry crlf | sed 's/$/\r/' >web/crlf
is "$("$kiln" list --source "$tmp/web/crlf" --no-check-signature | cut -d' ' -f1)" crlf 'CRLF is accepted'
{ echo '# a comment'; echo; entry x86; entry arm; } | sed '/Image arm/,$ s/x86_64/aarch64/; s/^\[arm\]/[x86]/' >web/arches
is "$("$kiln" list --source "$tmp/web/arches" --no-check-signature | awk '{print $1 "/" $2}' | paste -sd' ')" 'x86/x86_64 x86/aarch64' 'an id may come once per architecture'

# Definitions.
printf 'stray=1\n[ok]\nuri=file://%s/web/index.asc\ngpgkey=file://%s/good.key\n[half]\n' "$tmp" "$tmp" >"$conf/mixed.conf"
run "$kiln" list
like "$out" '^good' 'a broken section does not hide a good one'
like "$err" 'mixed\.conf:1' 'and is named with file and line'
undefine
mkdir -p "$XDG_CONFIG_HOME/virt-builder/repos.d"
printf '[vb]\nuri=file://%s/web/index.asc\ngpgkey=file://%s/good.key\nformat=native\n' "$tmp" "$tmp" >"$XDG_CONFIG_HOME/virt-builder/repos.d/vb.conf"
ok "virt-builder's directory is read" "$kiln" notes good
rm "$XDG_CONFIG_HOME/virt-builder/repos.d/vb.conf"

# HTTP.
"$top/tests/fakes/http-server" web requests >port &
server=$!
on_exit+=("kill $server 2>/dev/null")
for _ in $(seq 100); do [ -s port ] && break; sleep 0.05; done
base=http://127.0.0.1:$(cat port)
export no_proxy=127.0.0.1
define good "$base/index.asc" good.key
define dead "http://127.0.0.1:1/index.asc" good.key
run "$kiln" list
like "$out" '^good' 'a repository over HTTP'
like "$err" 'repository dead is left out: http://127\.0\.0\.1:1/' 'an unreachable one is a warning naming its URI'
rm "$conf/dead.conf"
while IFS='|' read -r path regex what; do
    fails 1 "$regex" "$what" "$kiln" list --source "$base$path" --no-check-signature
done <<'END'
/404/index|404/index: not found|HTTP 404 is an error naming the URI
/500/index|500/index: .*HTTP status 500|HTTP 500 is an error naming the URI
/loop/index|redirect|a redirect loop is an error
/huge/index|larger than|a line without end is cut off
/cut-always/index|cut|a connection that is cut
END
ok 'a redirect is followed' "$kiln" list --source "$base/moved/index" --no-check-signature
ok 'a server that fails once is tried again' "$kiln" list --source "$base/flaky/index" --no-check-signature

remote() { sed "s#^file=.*#file=$base/$1/mini.xz#" web/index >web/remote; "$kiln" build good -o "$2" --source "$base/remote" --no-check-signature --cache "$tmp/cache-$3"; }
ok 'an image over HTTP builds' "$kiln" build good -o http.img --cache "$tmp/cache-http"
: >requests
ok 'a connection that is cut is resumed' remote cut cut.img cut
like "$(cat requests)" 'bytes=[1-9][0-9]*-' 'by asking for the rest'
ok 'the result is the same' cmp http.img cut.img
ok 'a server without ranges serves the whole' remote norange norange.img norange
fails 1 'mini\.xz' 'an image that is not there is an error' remote 404 x.img gone
fails 1 '500' 'a server that fails is an error' remote 500 x.img broken
fails 1 'mini\.xz' 'a server that always cuts is an error' remote cut-always x.img cut-always
[ ! -e x.img ] && pass 'and no output' || fail 'and no output'
is "$(ls "$tmp/cache-cut-always/base" | wc -l)" 0 'nor a cache entry'
is "$(ls "$tmp/cache-cut-always/download" | wc -l)" 1 'but the part that came, for the next try'
# The next try, with a better server, goes on from there.
: >requests
ok 'a later build resumes it' remote . resumed.img cut-always
like "$(cat requests)" 'bytes=[1-9][0-9]*-' 'from where it was cut'
ok 'with the right result' cmp http.img resumed.img
# A wrong prefix from another edition must not stay.
mkdir -p "$tmp/cache-stale/download"
chmod 700 "$tmp/cache-stale"
head -c 5000000 /dev/urandom >"$tmp/cache-stale/download/$(sha512sum <web/mini.xz | cut -d' ' -f1).part"
ok 'a stale partial download is replaced' remote . stale.img stale
ok 'with the right result, too' cmp http.img stale.img
sed "s/^checksum.*/checksum[sha512]=$(printf 0%.0s {1..128})/" web/index >web/mismatch
fails 1 'checksum' 'a wrong checksum is an error' "$kiln" build good -o x.img --source "$base/mismatch" --no-check-signature --cache "$tmp/cache-mismatch"
is "$(ls "$tmp/cache-mismatch/base" "$tmp/cache-mismatch/download" | grep -c '\.')" 0 'that leaves nothing to be used'

# Two builds at once download once.
: >requests
"$kiln" build good -q -o two-a.img --cache "$tmp/cache-two" &
a=$!
"$kiln" build good -q -o two-b.img --cache "$tmp/cache-two" &
b=$!
wait $a; a=$?
wait $b; b=$?
is "$a$b" 00 'two builds of one image at once succeed'
is "$(grep -c 'GET /mini.xz' requests)" 1 'and download once'
ok 'with the same result' cmp two-a.img two-b.img

# The cache.
run "$kiln" cache --cache "$tmp/cache-two"
like "$out" 'good x86_64' 'kiln cache lists the image'
key=$(cut -c1-16 <<<"$out" | head -n 1)
fails 1 'no entry' 'an unknown key is an error' "$kiln" cache remove ffff --cache "$tmp/cache-two"
ok 'an entry is removed by the beginning of its key' "$kiln" cache remove "$key" --cache "$tmp/cache-two"
is "$("$kiln" cache --cache "$tmp/cache-two")" '' 'and is gone'
ok 'kiln cache clear' "$kiln" cache clear --cache "$tmp/cache-http"
is "$(find "$tmp/cache-http" -type f | wc -l)" 0 'leaves nothing'
is "$("$kiln" cache path)" "$XDG_CACHE_HOME/kiln" 'kiln cache path'
mkdir loose && chmod 777 loose
fails 1 'others may write' 'a cache that others may write is refused' "$kiln" cache --cache loose
finish
