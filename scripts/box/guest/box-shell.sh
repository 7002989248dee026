#!/bin/bash
# Runs what the host sends over the second serial port, as a technician with root's rights would type it.
# A line is a number and a script in base64; the answer is the number, the exit code and what the script printed.
stty -F /dev/ttyS1 raw -echo
exec 3<>/dev/ttyS1
echo "0 0 $(base64 -w0 </proc/uptime)" >&3
while read -r -u 3 id script; do
	# The console shows it, too: where a script never ends, the host has its last lines.
	out=$(bash -c "$(base64 -d <<<"$script")" 2>&1 3>&- </dev/null | tee /dev/console; exit "${PIPESTATUS[0]}")
	echo "$id $? $(base64 -w0 <<<"$out")" >&3
done
