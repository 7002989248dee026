#!/bin/bash
# Process 1 of the guest: starts udev, loads the drivers of the devices under test, runs the program that the kernel's
# command line names, and ends the machine with its exit code.
export PATH=/lab/project/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8 TERM=dumb STILEWARD_LAB=1
for word in $(cat /proc/cmdline); do
	case $word in
	lab.run=*) run=${word#lab.run=} ;;
	lab.args=*) args=${word#lab.args=} ;;
	esac
done
hostname lab
ip link set lo up
mkdir -p /run/udev /lab/data
# Before the drivers, so that each device comes as it does when it is plugged in. No trigger for everything that is
# there: it would load graphics and sound, which takes a slow machine many seconds.
/lib/systemd/systemd-udevd --daemon >/dev/null 2>&1
for module in evdev hid_generic usbhid uhid hid_cp2112 ftdi_sio cdc_acm xhci_pci bluetooth hci_vhci; do
	modprobe $module || echo "lab: no module $module"
done
udevadm trigger --action=add --subsystem-match=tty --subsystem-match=input --subsystem-match=block
udevadm settle -t 60
stty -F /dev/ttyS1 raw -echo 2>/dev/null
# A guest that is ready later than after 4 s runs on a slow host: its tests get as much more time.
export STILEWARD_LAB_SLOWNESS=$(awk '{ print ($1 > 4 ? $1 / 4 : 1) }' /proc/uptime)
echo "lab: ready after $(cut -d' ' -f1 /proc/uptime) s, kernel $(uname -r), limits × $STILEWARD_LAB_SLOWNESS"
cd /lab/project || exit
bash "scripts/lab/guest/$run" ${args//,/ } </dev/null 2>&1
code=$?
echo "lab: ended with $code after $(cut -d' ' -f1 /proc/uptime) s"
sync
# QEMU's isa-debug-exit ends with twice this number and one.
printf "\\x$(printf %02x $((code & 127)))" | dd of=/dev/port bs=1 seek=244 count=1 conv=notrunc 2>/dev/null
sleep 1
echo o >/proc/sysrq-trigger
sleep 5
