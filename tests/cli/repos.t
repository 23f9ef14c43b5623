#!/bin/bash
# Repositories: definitions, signatures with real keys, a real HTTP server, and everything that can be
# wrong with them.
. "$(dirname "$0")/lib.sh"
use_test_repo
cd "$tmp" || exit 1
conf=$XDG_CONFIG_HOME/kiln/repos.d
rm "$conf"/*.conf

export GNUPGHOME=$tmp/gnupg TMPDIR=$tmp/tmpdir
mkdir -m 700 "$GNUPGHOME" "$TMPDIR"
on_exit+=('gpgconf --kill all 2>/dev/null')
make_key() { gpg -q --batch --passphrase '' "${@:2}" --quick-gen-key "$1" ed25519 sign never 2>/dev/null; }
make_key 'Good <good@example.org>'
make_key 'Other <other@example.org>'
gpg -q --batch --passphrase '' --faked-system-time 20200101T000000 --quick-gen-key 'Old <old@example.org>' ed25519 sign 1y 2>/dev/null
for name in good other old; do gpg -q --batch --armor --export "$name@example.org" >$name.key; done
gpg -q --batch --export good@example.org >good.gpg
fingerprint_of() { gpg --batch --with-colons --list-keys "$1@example.org" 2>/dev/null | awk -F: '/^fpr/ {print $10; exit}'; }
fingerprint=$(fingerprint_of good)

mkdir web
cp "$repo/mini.xz" web/
entry() { # ID [LINE...]
    printf '[%s]\nname=Image %s\narch=x86_64\nfile=mini.xz\nformat=raw\nsize=%s\ncompressed_size=%s\nchecksum[sha512]=%s\nexpand=/dev/sda1\n' \
        "$1" "$1" "$(xz --robot -l web/mini.xz | awk '$1 == "totals" {print $5}')" "$(stat -c %s web/mini.xz)" "$(sha512sum <web/mini.xz | cut -d' ' -f1)"
    shift
    printf '%s\n' "$@"
}
entry good 'notes=Plain words.' ' More of them.' ' ' ' After a blank line.' 'notes[de]=Deutsche Worte.' >web/index
sign() { gpg -q --batch --yes --local-user "$1@example.org" "${@:4}" --clearsign --output "$3" "$2"; }
sign good web/index web/index.asc
define() { printf '[%s]\nuri=%s\n%s\n' "$1" "$2" "${3:+gpgkey=file://$tmp/$3}" >"$conf/$1.conf"; }
undefine() { rm -f "$conf"/*.conf; }

define good "file://$tmp/web/index.asc" good.key
ok 'a signed repository is listed' "$kiln" list
like "$out" 'good +x86_64 +Image good' 'with name, architecture and long name'
is "$("$kiln" list --json | jq -r '.templates[0]."os-version"')" good 'list --json'
is "$("$kiln" notes good)" $'Plain words.\nMore of them.\n\nAfter a blank line.' 'notes keep their lines'
is "$(LC_ALL=de_DE.UTF-8 "$kiln" notes good)" 'Deutsche Worte.' 'and come in the language asked for'
define good "file://$tmp/web/index.asc" good.gpg
ok 'a binary key serves as well' "$kiln" notes good
is "$(ls "$TMPDIR")" '' 'no keyring is left behind'

# Signatures. Each bad repository is a warning that names it, and hides no other.
refused() { # NAME INDEX KEY REGEX
    define "$1" "file://$tmp/web/$2" "$3"
    run "$kiln" list
    if [ "$status" -eq 0 ] && [[ $err == *"repository '$1' is left out"* ]] && [[ $err =~ $4 ]] && [[ $out =~ ^good ]]; then
        pass "$1: is left out with a warning, the others are there"
    else
        fail "$1: is left out with a warning, the others are there" "$(show)"
    fi
    fails 1 "$1" "$1: an image that would be there is an error naming it" "$kiln" build not-there -o x.img
    rm "$conf/$1.conf"
}
entry bad >web/bad
cp web/bad web/unsigned
refused unsigned unsigned good.key 'is not signed'
sign other web/bad web/foreign.asc
refused foreign foreign.asc good.key 'unknown key'
gpg -q --batch --yes --local-user old@example.org --faked-system-time 20200601T000000 --clearsign --output web/expired.asc web/bad 2>/dev/null
refused expired expired.asc old.key 'expired'
gpg -q --batch --passphrase '' --quick-gen-key 'Lost <lost@example.org>' ed25519 sign never 2>/dev/null
sign lost web/bad web/revoked.asc
sed -n 's/^:----/----/; /^----/,$p' "$GNUPGHOME/openpgp-revocs.d/$(fingerprint_of lost).rev" | gpg -q --batch --import 2>/dev/null
gpg -q --batch --armor --export lost@example.org >lost.key
refused revoked revoked.asc lost.key 'was revoked'
sign good web/bad web/tampered.asc
sed -i 's/Image bad/Image BAD/' web/tampered.asc
refused tampered tampered.asc good.key 'BAD signature'
sign good web/bad web/cut.asc
head -c 300 web/cut.asc >web/cut2.asc
refused cutsig cut2.asc good.key 'cut off'
printf 'uri=file:///dev/null\n' >"$tmp/no.key"
refused nokey foreign.asc no.key 'no usable OpenPGP public key'
refused absentkey foreign.asc absent.key 'absent.key'
define keyless "file://$tmp/web/foreign.asc" ''
run "$kiln" list
like "$err" "'keyless' is left out: .*no key is known" 'a repository without a key is refused'
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
fails 1 'no key 0123' 'a wrong --fingerprint is refused' "$kiln" list --source "$tmp/web/index.asc" --fingerprint 0123456789012345678901234567890123456789
fails 1 'fingerprint' '--source without a key is refused' "$kiln" list --source "$tmp/web/index.asc"
ok '--no-check-signature accepts it' "$kiln" list --source "$tmp/web/index.asc" --no-check-signature
like "$out" 'good' 'and reads what is inside the armor'
two=(--source "$tmp/web/index.asc" --fingerprint "$fingerprint" --source "$tmp/web/bad.asc" --fingerprint "$(fingerprint_of other)")
sign other web/bad web/bad.asc
is "$("$kiln" list "${two[@]}" | awk '{print $1}' | paste -sd' ')" 'good bad' 'several sources, each with its fingerprint'
fails 1 'no fingerprint' 'a short key id is refused' "$kiln" list --source "$tmp/web/index.asc" --fingerprint "${fingerprint: -16}"
ok 'an unsigned index is accepted, too' "$kiln" list --source "$tmp/web/index" --no-check-signature

# The listing.
entry old 'hidden=true' 'aliases=older oldest' >web/hidden
entry other >>web/hidden
hidden=(--source "$tmp/web/hidden" --no-check-signature)
is "$("$kiln" list "${hidden[@]}" | awk '{print $1}')" other 'a hidden image is not listed'
ok 'but can be had by an alias' "$kiln" notes oldest "${hidden[@]}"
fails 1 'did you mean: other' 'a misspelt name is answered with what is like it' "$kiln" notes ohter "${hidden[@]}"
fails 1 'is there for x86_64' 'an image of another architecture is said' "$kiln" notes other --arch s390x "${hidden[@]}"
fails 1 'nowhere: not found for any architecture' 'a name that no image has is an error' "$kiln" list nowhere "${hidden[@]}"
fails 1 'did you mean: other' 'also beside one that is there' "$kiln" list other ohter "${hidden[@]}"
fails 1 'not found for s390x' 'or that none has for that architecture' "$kiln" list other --arch s390x "${hidden[@]}"
fails 1 'nothing-\*: not found' 'and so is a pattern that fits nothing' "$kiln" list 'nothing-*' "${hidden[@]}"
is "$("$kiln" list 'ot*' "${hidden[@]}" | awk '{print $1}')" other 'a pattern finds'
is "$("$kiln" list old "${hidden[@]}" | awk '{print $1}')" old 'a hidden image is shown to who names it'
sed 's/^hidden=true//; s/^name=Image old/osinfo=os1.0\n&/' web/hidden >web/aliased
is "$("$kiln" list oldest --source "$tmp/web/aliased" --no-check-signature | awk '{print $1}')" old 'an alias is found'
run "$kiln" list --json --source "$tmp/web/aliased" --source "$tmp/web/hidden" --no-check-signature
is "$(jq -c '.templates | map([."os-version", .osinfo, .aliases, .hidden])' <<<"$out")" \
    '[["old","os1.0",["older","oldest"],false],["other",null,[],false],["old",null,["older","oldest"],true],["other",null,[],false]]' \
    'list --json has aliases, osinfo and hidden images'
run "$kiln" list --long "${hidden[@]}"
like "$out" 'os-version: +other.*Full name: +Image other.*Architecture: +x86_64.*size:' 'list --long'
run "$kiln" list --json "${hidden[@]}" --source "$tmp/web/absent"
is "$(jq -r '[.version, (.sources | length), (.sources[1].failure | contains("No such file")), .templates[0].arch] | join(" ")' <<<"$out")" '1 2 true x86_64' 'list --json tells sources and failures'

# Indexes that are signed well and wrong all the same.
wrong_index() { # DESCRIPTION REGEX COMMAND...: the command prints the index
    "${@:3}" >web/wrong
    fails 1 "wrong:[0-9]+.*$2" "$1 is refused with file and line" "$kiln" list --source "$tmp/web/wrong" --no-check-signature
}
edited() { entry a | sed "$1"; }
twice() { entry a; entry a; }
{ entry a | sed 's/^size=.*/size=12monkeys/'; twice; } >web/wrong
run "$kiln" list --source "$tmp/web/wrong" --no-check-signature
is "$status $(awk '{print $1}' <<<"$out" | paste -sd' ')" '0 a' 'a bad entry is left out, and no other'
like "$err" "wrong:6: size=12monkeys.* the image 'a' is left out" 'with a warning that names file, line and image'
like "$err" 'is there twice' 'and so is the second of the same id and architecture'
wrong_index 'a path that climbs out' 'inside the repository' edited 's/^file=.*/file=..\/..\/etc\/shadow/'
wrong_index 'an encoded climb' 'inside the repository' edited 's/^file=.*/file=sub\/%2e%2e\/x/'
wrong_index 'an absolute path' 'inside the repository' edited 's/^file=.*/file=\/etc\/shadow/'
wrong_index 'a bad number' 'a number' edited 's/^size=.*/size=12monkeys/'
wrong_index 'a number too large' 'a number' edited 's/^size=.*/size=99999999999999999999999/'
wrong_index 'a negative number' 'a number' edited 's/^size=.*/size=-1/'
wrong_index 'a short checksum' 'checksum' edited 's/^checksum.*/checksum[sha512]=abc/'
wrong_index 'an entry without file' 'has no file' edited '/^file=/d'
wrong_index 'a line of no form' '' entry a 'just words'
wrong_index 'a field before any section' '' echo 'name=x'
wrong_index 'a line of 100 kB' 'longer than' edited "s/^name=.*/name=$(printf 'x%.0s' {1..100000})/"
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
eventually test -s port
base=http://127.0.0.1:$(cat port)
export no_proxy=127.0.0.1
define good "$base/index.asc" good.key
define dead "http://127.0.0.1:1/index.asc" good.key
run "$kiln" list
like "$out" '^good' 'a repository over HTTP'
like "$err" 'repository .dead. is left out: http://127\.0\.0\.1:1/' 'an unreachable one is a warning naming its URI'
rm "$conf/dead.conf"
define wordy "$base/header/4194304/index.asc" good.key
run "$kiln" list
like "$out" '^good' 'a header line of 4 MiB hides no other repository'
like "$err" 'repository .wordy. is left out: .*a header that is too long' 'and is a warning naming the one that sends it'
rm "$conf/wordy.conf"
fails 1 "list\?token=\*\*\*&\*\*\*: not found" 'the values of a query are not shown' \
    "$kiln" list --source "$base/status/404/list?token=geheim&geheim2" --no-check-signature
unlike "$out$err" geheim 'in any message'
unlike "$("$kiln" list --json --source "$base/index?key=geheim" --no-check-signature)" geheim 'nor in the listing'
cp web/index.sig web/index2.sig && cp web/index web/index2
ok 'a signature beside an index with a query is found' "$kiln" list --source "$base/index2?key=x" --fingerprint "$fingerprint"
while IFS='|' read -r path regex what; do
    fails 1 "$regex" "$what" "$kiln" list --source "$base$path" --no-check-signature
done <<'END'
/status/404/index|404/index: not found|HTTP 404 is an error naming the URI
/status/500/index|500/index: .*500|HTTP 500 is an error naming the URI
/redirect-loop/index|redirect|a redirect loop is an error
/endless/index|larger than|a line without end is cut off
/cut/100/index|connection broke after 100 bytes|a connection that is cut
/length/7/index|connection broke after|a body shorter than said
/redirect-local/index|redirect-local/index: .*rotocol|a redirect to a local file is an error
END
run "$kiln" list --source "http://kiln:geheim@${base#http://}/auth/index" --no-check-signature
like "$err" 'denies access' 'a wrong password is an error'
unlike "$out$err" 'geheim' 'that does not show it'
ok 'the right one opens the door' "$kiln" list --source "http://kiln:secret@${base#http://}/auth/index" --no-check-signature
ok 'a redirect is followed' "$kiln" list --source "$base/redirect/index" --no-check-signature
ok 'a server that fails once is tried again' "$kiln" list --source "$base/fail/1/index" --no-check-signature

# The image of an index comes by the same way, and so with the same fault, as the index.
remote() { "$kiln" build good -o "$2" --source "$base/$1index" --no-check-signature --cache "$tmp/cache-$3"; }
ok 'an image over HTTP builds' "$kiln" build good -o http.img --cache "$tmp/cache-http"
: >requests
ok 'a connection that is cut is resumed' remote cut-once/5000000/ cut.img cut
like "$(cat requests)" 'mini.xz bytes=5000000-' 'by asking for the rest'
ok 'the result is the same' cmp http.img cut.img
ok 'a server without ranges serves the whole' remote no-range/ no-range.img no-range
lost() { # FAULT: an index of its own whose image has the fault
    sed "s#^file=.*#file=$1/mini.xz#" web/index >web/faulty
    "$kiln" build good -o x.img --source "$base/faulty" --no-check-signature --cache "$tmp/cache-$2"
}
fails 1 'mini\.xz.*not found' 'an image that is not there is an error' lost status/404 gone
fails 1 'mini\.xz.*500' 'a server that fails is an error' lost status/500 broken
fails 1 'mini\.xz' 'a server that always cuts is an error' lost cut/2000 cut-always
[ ! -e x.img ] && pass 'and no output' || fail 'and no output'
is "$(ls "$tmp/cache-cut-always/base" | wc -l)" 0 'nor a cache entry'
is "$(ls "$tmp/cache-cut-always/download" | wc -l)" 1 'but the part that came, for the next try'
# The next try, with a better server, goes on from there.
: >requests
ok 'a later build resumes it' remote '' resumed.img cut-always
like "$(cat requests)" 'mini.xz bytes=[1-9][0-9]*-' 'from where it was cut'
ok 'with the right result' cmp http.img resumed.img
# A wrong prefix from another edition must not stay.
mkdir -p "$tmp/cache-stale/download"
chmod 700 "$tmp/cache-stale" "$tmp/cache-stale/download"
head -c 5000000 /dev/urandom >"$tmp/cache-stale/download/$(sha512sum <web/mini.xz | cut -d' ' -f1).part"
ok 'a stale partial download is replaced' remote '' stale.img stale
ok 'with the right result, too' cmp http.img stale.img
sed "s/^checksum.*/checksum[sha512]=$(printf 0%.0s {1..128})/" web/index >web/mismatch
fails 1 'checksum' 'a wrong checksum is an error' "$kiln" build good -o x.img --source "$base/mismatch" --no-check-signature --cache "$tmp/cache-mismatch"
is "$(ls "$tmp/cache-mismatch/base" | wc -l)" 0 'that leaves nothing to be used'

# An output that cannot be made is found before anything is fetched.
: >requests
fails 1 'nowhere/x\.img' 'an output in a folder that is not there' "$kiln" build good -o nowhere/x.img --source "$base/index" --no-check-signature --cache "$tmp/cache-none"
fails 1 'web' 'an output that is a folder' "$kiln" build good -o web --source "$base/index" --no-check-signature --cache "$tmp/cache-none"
fails 1 'lies inside the cache' 'an output in the cache' "$kiln" build good -o cache-none/x.img --source "$base/index" --no-check-signature --cache "$tmp/cache-none"
is "$(cat requests)" '' 'nothing was fetched for these, not even the index'

# Killed in the middle of the download: the next run goes on.
"$kiln" build good -q -o killed.img --source "$base/slow/4000000/index" --no-check-signature --cache "$tmp/cache-killed" &
pid=$!
part=$tmp/cache-killed/download/$(sha512sum <web/mini.xz | cut -d' ' -f1).part
eventually test -s "$part"
{ kill -KILL $pid && wait $pid; } 2>/dev/null
[ -s "$part" ] && pass 'a killed build leaves its download' || fail 'a killed build leaves its download' "$(find "$tmp/cache-killed")"
is "$(ls "$tmp/cache-killed/base" | wc -l)" 0 'and no entry'
like "$("$kiln" cache --cache "$tmp/cache-killed")" 'good x86_64.*unfinished download' 'which kiln cache shows'
: >requests
ok 'the next build goes on' remote '' killed.img killed
like "$(cat requests)" 'mini.xz bytes=[1-9][0-9]*- 206' 'from there'
ok 'with the right result, again' cmp http.img killed.img

# A full disk under the cache, while downloading and while expanding.
small_cache() { # KIB
    local namespace=(unshare --mount)
    [ "$(id -u)" -eq 0 ] || namespace=(unshare --user --map-root-user --mount)
    mkdir -p small
    "${namespace[@]}" bash -c '
        mount -t tmpfs -o "size=$1k" tmpfs small || exit 99
        "$2" build good -o x.img --source "$3/index" --no-check-signature --cache "$PWD/small"
        status=$?
        ls small/base >left
        exit $status' small-cache "$1" "$kiln" "$base"
}
run small_cache 5000
if [ "$status" -eq 99 ]; then
    skip 'a full disk' 'no mount namespaces for this user'
else
    for size in 5000 14500; do
        fails 1 "the cache $tmp/small: .*No space left" "a cache of $size KiB is an error that names it" small_cache $size
        like "$err" 'kiln cache clear' "and the remedy ($size KiB)"
        is "$(cat left)" '' "and leaves no entry ($size KiB)"
    done
fi

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
is "$("$kiln" cache --json --cache "$tmp/cache-two" | jq -r '.items[0] | "\(.label) \(.partial) \(.key | length)"')" 'good x86_64 false 128' 'kiln cache --json'
key=$(cut -c1-16 <<<"$out" | head -n 1)
fails 1 'no entry' 'an unknown key is an error' "$kiln" cache remove ffff --cache "$tmp/cache-two"
ok 'an entry is removed by the beginning of its key' "$kiln" cache remove "$key" --cache "$tmp/cache-two"
is "$("$kiln" cache --cache "$tmp/cache-two")" '' 'and is gone'
ok 'kiln cache clear' "$kiln" cache clear --cache "$tmp/cache-http"
is "$(find "$tmp/cache-http" -type f | wc -l)" 0 'leaves nothing'
is "$("$kiln" cache path)" "$XDG_CACHE_HOME/kiln" 'kiln cache path'
mkdir loose && chmod 777 loose
fails 1 'may write into this directory' 'a cache that others may write is refused' "$kiln" cache --cache loose
finish
