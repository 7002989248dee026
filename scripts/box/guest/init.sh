#!/bin/busybox sh
# The first program of the box: finds its root disk and hands over to systemd.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
for module in /mod/*.ko; do $b insmod "$module" || echo "box: insmod $module failed"; done
$b mount -t ext4 /dev/vda /new || { echo 'box: no root disk'; $b poweroff -f; }
for each in proc sys dev; do $b mount --move /$each /new/$each; done
exec $b switch_root /new /sbin/init
