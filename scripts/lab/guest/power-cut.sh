#!/bin/bash
# Redeems tickets on the disk under test until the power goes, or reads what is there.
# Arguments: ledger|no_barrier|normal redeem|read
mkdir -p /lab/disk
options=data=ordered
# A file system that never tells the disk to flush.
[ "$1" = no_barrier ] && options=barrier=0
mount -t ext4 -o $options /dev/vdb /lab/disk || exit 9
mkdir -p /lab/disk/data
testing=gate-agent/ledger/testing
case $1-$2 in
ledger-redeem | no_barrier-redeem) exec node $testing/redeem-loop.ts /lab/disk/data 0 100000 ;;
ledger-read | no_barrier-read) node $testing/read-granted.ts /lab/disk/data ;;
normal-redeem) exec node $testing/normal-loop.ts /lab/disk/data 100000 ;;
normal-read) node $testing/normal-loop.ts /lab/disk/data list ;;
esac
code=$?
umount /lab/disk
exit $code
