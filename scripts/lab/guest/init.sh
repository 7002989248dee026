#!/bin/busybox sh
# The first program of the guest: makes a root of the host's files, which it can read and never change, and goes there.
b=/bin/busybox
fail() { echo "lab: $1"; $b poweroff -f; }
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
for module in /mod/*.ko; do $b insmod "$module" || echo "lab: insmod $module failed"; done
options=trans=virtio,version=9p2000.L,msize=262144
$b mount -t tmpfs tmpfs /rw
$b mkdir -p /rw/host/upper /rw/host/work /rw/project/upper /rw/project/work
$b mount -t 9p -o $options,ro,cache=loose host /lower || fail 'no host'
$b mount -t overlay -o lowerdir=/lower,upperdir=/rw/host/upper,workdir=/rw/host/work overlay /new || fail 'no root'
$b mkdir -p /new/lab/project /new/lab/out /new/lib/modules /new/dev/pts /new/dev/shm
$b mount -t 9p -o $options,ro,cache=loose modules /new/lib/modules || fail 'no modules'
$b mount -t ext4 -o ro /dev/vda /ours || fail 'no project'
$b mount -t overlay -o lowerdir=/ours,upperdir=/rw/project/upper,workdir=/rw/project/work overlay /new/lab/project ||
	fail 'no project over the project'
$b mount -t 9p -o $options,rw,cache=none out /new/lab/out || fail 'no folder for the results'
for each in proc sys dev; do $b mount --move /$each /new/$each; done
$b mkdir -p /new/dev/pts /new/dev/shm
$b mount -t devpts devpts /new/dev/pts
$b mount -t tmpfs tmpfs /new/dev/shm
$b mount -t tmpfs tmpfs /new/run
$b mount -t tmpfs tmpfs /new/tmp
exec $b switch_root /new /bin/bash /lab/project/scripts/lab/guest/start.sh
