#!/bin/bash
# Sealed templates: kiln sysprep --seal, and what is then refused.
. "$(dirname "$0")/lib.sh"
use_test_repo
cd "$tmp" || exit 1
"$kiln" build mini -q -o template.img || exit 1

run "$kiln" inspect template.img
unlike "$out" 'Sealed' 'a fresh image is not sealed'
run env SOURCE_DATE_EPOCH=1700000000 "$kiln" sysprep --seal template.img --operations machine-id,tmp-files
is "$status" 0 'a template is prepared and sealed'
like "$out" 'sealed' 'which is told'
is "$(jq -r '.seal.time, (.seal.operations | join(",")), (.seal.digest | startswith("sha256:"))' template.img.kiln.json | paste -sd' ')" \
    '2023-11-14T22:13:20Z tmp-files,machine-id true' 'the sidecar records time, operations and digest'
like "$("$kiln" inspect template.img)" 'Sealed +since 2023-11-14T22:13:20Z' 'inspect tells since when'
run "$kiln" inspect --json template.img
is "$(jq -r '.seal.operations | length' <<<"$out")" 2 'and with --json which operations'
like "$(jq -r .seal.digest <<<"$out")" '^[0-9a-f]{64}$' 'and the digest'

before=$(sha256sum <template.img)
fails 1 'template\.img.*sealed.*unseal' 'customize refuses it' "$kiln" customize template.img --hostname x
fails 1 'sealed' 'also atomically' "$kiln" customize template.img --atomic --hostname x
fails 1 'sealed' 'also through a link' bash -c 'ln -s template.img link.img; exec "$0" customize link.img --hostname x' "$kiln"
fails 1 'sealed' 'sysprep refuses it' "$kiln" sysprep template.img
ok 'a dry run is no write' "$kiln" customize template.img -n --hostname x
is "$(sha256sum <template.img)" "$before" 'it is as it was'
qemu-img create -q -f qcow2 -b template.img -F raw clone.qcow2
ok 'an overlay over it may change' "$kiln" customize -q clone.qcow2 --hostname clone

# A failure leaves the seal.
fails 1 'unchanged' 'a failing change with --unseal' "$kiln" customize template.img --unseal --password nobody-here:password:x
[ -e template.img.kiln.json ] && pass 'leaves the seal' || fail 'leaves the seal'
ok '--unseal changes it' "$kiln" customize -q template.img --unseal --hostname x
[ -e template.img.kiln.json ] && fail 'and breaks the seal' || pass 'and breaks the seal'
ok 'so that it may change again' "$kiln" customize -q template.img --hostname y
run "$kiln" sysprep --seal --unseal template.img --operations tmp-files
is "$status" 0 'it can be sealed again'
ok 'and once more with --unseal' "$kiln" sysprep -q --seal --unseal template.img --operations tmp-files

echo nonsense >template.img.kiln.json
fails 1 'template\.img\.kiln\.json' 'a seal that cannot be read counts' "$kiln" customize template.img --hostname x

qemu-img convert -O qcow2 clone.qcow2 other.qcow2
ok 'qcow2 images are sealed too' "$kiln" sysprep -q --seal other.qcow2 --operations tmp-files
fails 1 'sealed' 'and refused' "$kiln" customize other.qcow2 --hostname x
fails 1 'sealed' 'by the native engine' "$kiln" customize other.qcow2 --engine native --hostname x
finish
