#!/bin/bash
# Redeems tickets on the disk under test until the power goes, or reads what is there.
# Arguments: ledger|control redeem|read
mkdir -p /lab/disk
mount -t ext4 /dev/vda /lab/disk || exit 9
mkdir -p /lab/disk/data
testing=gate-agent/ledger/testing
case $1-$2 in
ledger-redeem) exec node $testing/redeem-loop.ts /lab/disk/data 0 100000 ;;
ledger-read) node $testing/read-granted.ts /lab/disk/data ;;
control-redeem) exec node $testing/normal-loop.ts /lab/disk/data 100000 ;;
control-read) node $testing/normal-loop.ts /lab/disk/data list ;;
esac
code=$?
umount /lab/disk
exit $code
