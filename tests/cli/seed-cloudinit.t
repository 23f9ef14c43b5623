#!/bin/bash
# kiln seed against cloud-init itself: what that drops, kiln refuses or warns of; what it takes, kiln
# takes without a word.
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1
here=$top/tests/cli

/usr/bin/python3 -c 'import cloudinit, yaml' 2>/dev/null || {
    skip 'documents as cloud-init reads them' 'the package cloud-init is not installed'
    finish
}

# doc KILN NAME: standard input becomes a document, of which kiln must say KILN: "silent", "warns" or
# "refuses". "refuses!" and "warns!" stand where the harness does not show the loss:
# cloud-init's log is silent, or netplan renders what the others do not.
doc() {
    echo "$1" >"$kind.wanted/$2"
    cat >"$kind/$2"
}
# begin KIND: of the documents that follow
begin() {
    kind=$1
    mkdir "$kind" "$kind.wanted" "$kind.scratch"
}
# What kiln says of a file.
verdict() {
    run "$kiln" seed -q -o out.iso "--$kind" "$1"
    if [ "$status" -ne 0 ]; then echo refuses; elif [ -n "$err" ]; then echo warns; else echo silent; fi
}
# compare: every document of this kind, as cloud-init and kiln see it.
compare() {
    local name theirs ours wanted
    PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$here/cloudinit_verdicts.py" "$kind" "$tmp/$kind.scratch" "$kind"/* \
        >"$kind.verdicts" 2>"$kind.errors"
    is "$(wc -l <"$kind.verdicts")" "$(ls $kind | wc -l)" "cloud-init has a verdict on each $kind"
    while read -r name theirs; do
        ours=$(verdict "$kind/$name")
        wanted=$(<"$kind.wanted/$name")
        is "$ours" "${wanted%!}" "$kind/$name: kiln ${wanted%!}"
        case $wanted/$theirs in
        silent/fine | refuses/dropped* | refuses/nothing | warns/dropped* | refuses!/fine | refuses!/some* | warns!/*) ;;
        *) fail "$kind/$name: as cloud-init reads it" "kiln: $wanted" "cloud-init: $theirs" ;;
        esac
    done <"$kind.verdicts"
}

begin user-data
printf '' | doc silent empty
printf '\n' | doc warns newline
printf '#cloud-config\n' | doc warns header-alone
printf '#cloud-config\n{}\n' | doc silent header-braces
printf '#cloud-config\n# nothing\n' | doc warns comment-alone
printf '#cloud-config\npackages: [vim]\n' | doc silent plain
printf '\n\n#cloud-config\npackages: [vim]\n' | doc warns! blank-config
printf '\n#!/bin/sh\n' | doc refuses! blank-script
printf '\n## template: jinja\n#cloud-config\na: b\n' | doc refuses blank-jinja
printf '\n#cloud-boothook\n#!/bin/sh\n' | doc refuses! blank-hook
printf '# cloud-config\na: b\n' | doc refuses spaced
printf '#cloud-config\nhostname: {{ name }}\n' | doc refuses braces
printf '#cloud-config\n[a]: b\n' | doc refuses list-key
printf '#cloud-config\na: !Ref x\n' | doc refuses tag
printf '#cloud-config\na: &x 1\nb: &x 2\n' | doc refuses anchor
printf '#cloud-config\na: 2026-02-29\n' | doc refuses date
printf '#cloud-config\na: [http://h/?q=1]\n' | doc refuses question
printf '#cloud-config\na: =\n' | doc refuses equals
printf '#cloud-config\na: 1\na: 2\n' | doc warns! twice
printf '#cloud-config\na: &a {x: 1}\nb: {<<: *a, y: 2}\n' | doc silent merge
printf '#cloud-config\nbootcmd: [[echo, yes]]\n' | doc warns! yes-word
printf '## template: jinja\n#cloud-config\na: "{{ 1 }}"\n' | doc silent jinja
printf '## template: jinja\na: b\n' | doc warns jinja-bare
printf '## template: jinja\n\n#!/bin/sh\n' | doc silent jinja-script
printf '## template: jinja\n#cloud-boothook\n#!/bin/sh\n' | doc warns jinja-hook
printf '## template: jinja2\n#cloud-config\na: b\n' | doc refuses jinja2
printf '## template: jinja \n#cloud-config\na: b\n' | doc silent jinja-space
printf '#cloud-config-archive\n- "#!/bin/sh"\n- {type: text/cloud-config, content: "a: b"}\n' | doc silent archive
printf '#cloud-config-archive\n- a\n' | doc warns archive-word
printf '#cloud-config-archive\n- content: "#cloud-config\\na: b"\n- 5\n' | doc warns! archive-number
printf '#cloud-config-archive\n- content: 5\n' | doc refuses archive-number-content
printf '#cloud-config-archive\n- content:\n' | doc refuses archive-null-content
printf '#cloud-config-archive\n- {content: "a: b", type: script}\n' | doc refuses archive-type
printf '#cloud-config-archive\n- {content: "a: b", x-y: 5}\n' | doc refuses archive-header
printf '#cloud-config-archive\n- {content: "#include\\nhttp://h/x"}\n' | doc warns archive-include
printf '#cloud-config-archive\n- {content: "#cloud-config-archive\\n- a"}\n' | doc warns archive-archive
printf '#cloud-config-archive\n- {content: x, type: text/plain}\n' | doc warns archive-plain
printf '#cloud-config-archive\n- {content: "#cloud-config\\na: [", filename: x}\n' | doc refuses archive-broken
printf '#cloud-config-archive\n' | doc warns archive-empty
printf '#!/bin/sh\necho caf\xe9\n' | doc refuses latin-script
printf '#cloud-config\na: caf\xe9\n' | doc refuses latin-config
printf 'MIME-Version: 1.0\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n# \xe9\n' | doc refuses latin-mime
printf '#cloud-config-jsonp\n[{"op": "add", "path": "/a", "value": "b"}]\n' | doc silent jsonp
printf '#cloud-config-jsonp\n[{"op": "add"}]\n' | doc warns jsonp-pathless
printf '#include\n' | doc warns include-none
printf '#cloud-config\non: x\n' | doc warns! boolean-key
printf '#cloud-config\nmerge_how: list(append)\na: b\n' | doc refuses! merge-list
printf '#cloud-config\nmerge_how: dict(replace)+list(append)\na: b\n' | doc silent merge-dict
printf '#cloud-config\nmerge_how: dict\na: b\n' | doc refuses merge-name
mime() { # mime HEADER BODY...: an archive with one part
    printf 'Content-Type: multipart/mixed; boundary="XX"\nMIME-Version: 1.0\n\n--XX\n%s\n\n%b\n--XX--\n' "$1" "$2"
}
mime 'Content-Type: text/cloud-config' 'a: b' | doc silent mime-config
mime 'Content-Type: text/x-shellscript' '#!/bin/sh' | doc silent mime-script
mime 'Content-Type: text/x-shellscript' 'echo' | doc refuses! mime-script-bare
mime 'Content-Type: text/x-shellscript' '#cloud-config\na: b' | doc silent mime-retyped
mime 'Content-Type: text/plain' '#cloud-config\na: b' | doc silent mime-plain-config
mime 'Content-Type: text/plain' 'words' | doc warns mime-plain
mime 'Content-Type: text/yaml' 'a: b' | doc warns mime-yaml
mime 'Content-Type: text/x-yaml' 'a: b' | doc warns mime-x-yaml
mime 'Content-Type: application/octet-stream' 'x' | doc warns mime-octets
mime 'Content-Type: TEXT/Cloud-Config; charset=utf-8' 'a: b' | doc silent mime-case
mime 'Content-Type: text/cloud-config' 'a: {{ b }}' | doc refuses mime-broken
mime $'Content-Type: text/cloud-config\nContent-Transfer-Encoding: base64' 'YToge3sgYiB9fQo=' | doc refuses mime-base64
mime $'Content-Type: text/cloud-config\nContent-Transfer-Encoding: base64' 'YTogYgo=' | doc silent mime-base64-fine
mime $'Content-Type: text/cloud-config\nContent-Transfer-Encoding: quoted-printable' 'a=3A =7Bb=7D' | doc silent mime-quoted
mime $'Content-Type: text/x-shellscript;\n name="a"' '#!/bin/sh' | doc silent mime-folded
mime 'X-Other: y' '#!/bin/sh' | doc silent mime-typeless
mime 'Content-Type: text/cloud-boothook' '#!/bin/sh' | doc silent mime-hook
mime 'Content-Type: text/x-shellscript-per-boot' '#!/bin/sh' | doc silent mime-per-boot
mime 'Content-Type: text/cloud-config-archive' '- a' | doc warns mime-archive
printf 'Content-Type: multipart/mixed; boundary="XX"\nMIME-Version: 1.0\n\nXX\nContent-Type: text/cloud-config\n\na: b\nXX--\n' |
    doc refuses mime-no-hyphens
printf 'Content-Type: multipart/mixed\nMIME-Version: 1.0\n\n--XX\nContent-Type: text/cloud-config\n\na: b\n--XX--\n' |
    doc refuses mime-no-boundary
printf 'Content-Type: multipart/mixed; boundary=XX\nMIME-Version: 1.0\n\n--XX\nContent-Type: text/cloud-config\n\na: b\n' |
    doc silent mime-open
printf 'Content-Type: multipart/mixed; boundary=XX\nMIME-Version: 1.0\n\n--XX--\n' | doc warns mime-empty
printf 'MIME-Version: 1.0\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n' | doc silent mime-single
printf 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=XX\r\n\r\n--XX\r\nContent-Type: text/cloud-config\r\n\r\na: b\r\n--XX--\r\n' |
    doc silent mime-crlf
printf 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=XX\n\n--XX\nContent-Type: multipart/mixed; boundary=YY\n\n--YY\nContent-Type: text/yaml\n\na: b\n--YY--\n--XX--\n' |
    doc warns mime-nested
compare

begin network-config
eth() { printf 'version: 2\nethernets:\n  eth0: %s\n' "$1"; }
eth '{dhcp4: true}' | doc silent v2
printf 'network:\n  version: 2\n  ethernets: {eth0: {dhcp4: true}}\n' | doc silent v2-wrapped
printf 'config: disabled\n' | doc silent disabled
printf 'network: {config: disabled}\n' | doc silent disabled-wrapped
printf 'version: "2"\nethernets: {eth0: {dhcp4: true}}\n' | doc refuses version-text
printf 'network:\n  ethernets: {eth0: {dhcp4: true}}\n' | doc refuses no-version
printf 'network: {version: 3, ethernets: {eth0: {dhcp4: true}}}\n' | doc refuses version-3
printf 'version: 2\n' | doc refuses version-alone
printf 'version: 2\nethernets: {}\n' | doc refuses ethernets-empty
printf 'version: 2\nethernets:\n' | doc refuses ethernets-null
printf 'version: 2\nethernet: {eth0: {dhcp4: true}}\n' | doc refuses section
printf 'version: 2\nethernets: {eth0: {dhcp4: true}}\nmodems: {}\n' | doc warns! modems
printf 'version: 2\nethernets: {eth0: {dhcp4: true}}\nwifis: {w0: {dhcp4: true, access-points: {a: {}}}}\n' | doc warns! wifis
eth '' | doc refuses device-null
eth '[]' | doc refuses device-list
eth '{dhcp4: true, match:}' | doc refuses match-null
eth '{dhcp4: true, match: {macaddress: 52:54:00:12:34:56}}' | doc refuses mac-number
eth '{dhcp4: true, match: {macaddress: "52:54:00:12:34:56"}}' | doc silent mac-text
eth '{dhcp4: true, match: {name: "en*"}}' | doc warns! match-name
eth '{dhcp4: "no"}' | doc warns! dhcp-text
eth '{addresses: [10.1.2.3/24]}' | doc silent address
eth '{addresses: [10.1.2.3]}' | doc warns! address-bare
eth '{addresses: 10.1.2.3/24}' | doc refuses address-text
eth '{addresses:}' | doc refuses address-null
eth '{addresses: [10.1.2.300/24]}' | doc refuses address-wrong
eth '{addresses: [10.1.2.3/33]}' | doc refuses address-prefix
eth '{addresses: [10.1.2.3/255.255.255.0]}' | doc silent address-mask
eth '{addresses: ["fe80::1/64"]}' | doc silent address-6
eth '{addresses: [5]}' | doc refuses address-number
eth '{addresses: [10.1.2.3/24: {label: x}]}' | doc warns! address-settings
eth '{addresses: [10.1.2.3/24], nameservers: {addresses: [10.1.2.1]}}' | doc silent dns
eth '{addresses: [10.1.2.3/24], nameservers: [10.1.2.1]}' | doc refuses dns-list
eth '{addresses: [10.1.2.3/24], nameservers:}' | doc refuses dns-null
eth '{addresses: [10.1.2.3/24], nameservers: {addresses:}}' | doc refuses dns-addresses-null
eth '{addresses: [10.1.2.3/24], nameservers: {search: [a.b]}}' | doc warns! dns-search
eth '{dhcp4: true, nameservers: {addresses: [10.1.2.1]}}' | doc warns! dns-dhcp
eth '{addresses: [10.1.2.3/24], routes: [{to: 0.0.0.0/0, via: 10.1.2.1}]}' | doc silent route
eth '{addresses: [10.1.2.3/24], routes: [{to: default, via: 10.1.2.1}]}' | doc warns! route-default
eth '{addresses: [10.1.2.3/24], routes: [{to: 10.2.0.0, via: 10.1.2.1}]}' | doc warns! route-bare
eth '{addresses: [10.1.2.3/24], routes: [{to: 10.2.0.0/16, via: 10.1.2.1, metric: 5}]}' | doc warns! route-metric
eth '{addresses: [10.1.2.3/24], routes: [{via: 10.1.2.1}]}' | doc refuses route-to
eth '{routes: [{to: 10.2.0.0/16, via: 10.1.2.1}]}' | doc warns! route-alone
eth '{dhcp4: true, dhpc6: true}' | doc warns! misspelt
eth '{dhcp4: true, optional: true}' | doc warns! optional
eth '{dhcp4: true, set-name: lan}' | doc warns! set-name
printf 'version: 2\nethernets: {eth0: {}}\nbonds: {b0: {interfaces: [eth0], dhcp4: true, parameters: {mode: active-backup}}}\n' |
    doc warns! bond
printf 'version: 2\nethernets: {eth0: {}}\nbonds: {b0: {interfaces: [eth0], parameters: {learn-packet-interval: 1}}}\n' |
    doc warns! bond-parameter
printf 'version: 2\nbridges: {br0: {dhcp4: true}}\n' | doc warns! bridge-alone
printf 'version: 2\nvlans: {v5: {id: 5, link: eth0, dhcp4: true}}\nethernets: {eth0: {}}\n' | doc warns! vlan
printf 'version: 1\nconfig: [{type: physical, name: eth0, subnets: [{type: dhcp}]}]\n' | doc silent v1
eth '{addresses: [10.1.2.3/255.0.255.0]}' | doc refuses mask-gap
eth '{addresses: [10.1.2.3/0.0.0.255]}' | doc silent mask-of-hosts
eth '{dhcp4: true, dhcp4-overrides:}' | doc refuses overrides-null
eth '{dhcp4: true, match: {macaddress: "52:54:00:12:34:5a"}, set-name: 5}' | doc refuses! set-name-number
eth '{addresses: [10.1.2.3/24], nameservers: {addresses: [5]}}' | doc refuses! dns-number
eth '{addresses: [10.1.2.3/24], nameservers: {addresses: 10.1.2.1}}' | doc warns! dns-text
eth '{addresses: [10.1.2.3/24], routes: [{to: 10.2.0.0/16, via: 5}]}' | doc refuses! via-number
printf 'version: 2\nbridges: {br0: {interfaces: [eth0], parameters: {stp: maybe}}}\n' | doc refuses bridge-stp
v1() { printf 'version: 1\nconfig: [{type: physical, name: eth0, subnets: [%s]}, %s]\n' "$1" "$2"; }
v1 '{type: static, address: 10.1.2.3, netmask: abc}' '' | doc refuses v1-mask
v1 '{type: static, address: 10.1.2.3/24, dns_nameservers: 5}' '' | doc refuses v1-dns-number
v1 '{type: static, address: 10.1.2.3/24, dns_nameservers: 10.1.2.1 10.1.2.2}' '' | doc silent v1-dns-text
v1 '{type: static, address: 10.1.2.3/24, routes:}' '' | doc refuses v1-routes-null
v1 '' '{type: physical, name: 5}' | doc refuses! v1-name-number
v1 '' '{type: physical, name: a, params:}' | doc refuses v1-params-null
v1 '' '{type: bond, name: b, bond_interfaces:, params: {}}' | doc refuses v1-bond-null
v1 '' '{type: bridge, name: b, bridge_interfaces: [eth0], params: {bridge_stp: maybe}}' | doc refuses v1-stp
v1 '' '{type: nameserver, address: 10.1.2.1, interface: eth1}' | doc refuses v1-dns-nowhere
v1 '' '{type: route, destination: 10.0.0.0/8, metric: x}' | doc refuses v1-metric
printf 'version: 1\n' | doc refuses v1-alone
printf 'version: 1\nconfig: {type: physical}\n' | doc refuses v1-mapping
printf 'version: 1\nconfig: []\n' | doc refuses v1-empty
printf 'version: 1\nconfig: [{type: ether, name: eth0}]\n' | doc refuses v1-type
printf 'version: 1\nconfig: [{name: eth0}]\n' | doc refuses v1-typeless
printf 'version: 1\nconfig: [{type: nameserver, address: 10.1.2.1}]\n' | doc refuses v1-dns-alone
printf 'version: 1\nconfig: [{type: physical, name: eth0, subnets: [{type: dhcp}]}, {type: physical}]\n' | doc warns! v1-nameless
printf 'version: 1\nconfig: [{type: physical, name: eth0, subnets: [{type: dhcp}]}, {type: nameserver, address: 10.1.2.1}]\n' |
    doc warns! v1-dns
printf 'version: 1\nconfig: [{type: physical, name: eth0, subnets: [{type: static, address: 10.1.2.3/24}]}]\n' | doc silent v1-static
printf 'version: 1\nconfig: [{type: physical, name: eth0, subnets: [{type: static, address: 10.1.2.3}]}]\n' | doc warns! v1-bare
printf 'version: 1\nconfig: [{type: physical, name: eth0, subnets: [{type: static, address: 10.1.2.3, netmask: 255.255.0.0}]}]\n' |
    doc silent v1-netmask
printf 'version: 1\nconfig: [{type: physical, name: eth0, subnets: [{type: static}]}]\n' | doc refuses v1-addressless
printf 'version: 1\nconfig: [{type: physical, name: eth0, subnets: [{type: foo}]}]\n' | doc warns! v1-subnet
compare
finish
