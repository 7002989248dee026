import type { FindingText } from './finding-text.ts';

/** What is found of the computer: clock, disk, memory. */
export const machineTexts = {
	clock_ok: {
		...{ check: 'clock', state: 'ok' },
		en: ['The clock is right as far as can be told: {time}.'],
		zh: ['时钟看来正确：{time}。'],
	},
	clock_before_build: {
		...{ check: 'clock', state: 'fault' },
		en: [
			'The clock says {time}, which is before this program was made ({built}).',
			'Set it: `sudo timedatectl set-ntp true`, or `sudo date -s "YYYY-MM-DD hh:mm"`. A box without a battery needs NTP or an RTC.',
		],
		zh: [
			'时钟显示 {time}，早于本程序的构建时间（{built}）。',
			'校时：`sudo timedatectl set-ntp true`，或 `sudo date -s "YYYY-MM-DD hh:mm"`。没有电池的主机需要 NTP 或 RTC 模块。',
		],
	},
	clock_before_ledger: {
		...{ check: 'clock', state: 'fault' },
		en: [
			'The clock says {time}, but the ledger has a row of {newest}.',
			'Set the clock. If the ledger’s time is the wrong one, run `stileward keys reset-clock`.',
		],
		zh: [
			'时钟显示 {time}，但账本中已有 {newest} 的记录。',
			'请校时。若是账本时间有误，运行 `stileward keys reset-clock`。',
		],
	},
	clock_doubted: {
		...{ check: 'clock', state: 'fault' },
		en: [
			'The gate doubts its clock ({doubt}).',
			'Set the clock and restart the gate. If the server’s time is wrong, correct it there.',
		],
		zh: ['闸机怀疑自己的时钟（{doubt}）。', '请校时并重启闸机。若服务器时间有误，请在服务器上修正。'],
	},
	clock_wrong: {
		...{ check: 'clock', state: 'fault' },
		en: [
			'The clock is {seconds} s away from the signed time of the venue’s server.',
			'Set it: `sudo timedatectl set-ntp true`; check NTP and the RTC’s battery.',
		],
		zh: [
			'时钟与场馆服务器的签名时间相差 {seconds} 秒。',
			'校时：`sudo timedatectl set-ntp true`；检查 NTP 和 RTC 电池。',
		],
	},
	clock_off: {
		...{ check: 'clock', state: 'warning' },
		en: ['The clock is {seconds} s away from the signed time of the venue’s server.', 'Check NTP: `timedatectl`.'],
		zh: ['时钟与场馆服务器的签名时间相差 {seconds} 秒。', '检查 NTP：`timedatectl`。'],
	},
	clock_not_synchronized: {
		...{ check: 'clock', state: 'warning' },
		en: ['No time server corrects the clock.', 'sudo apt-get install chrony, or `sudo timedatectl set-ntp true`.'],
		zh: ['时钟未与时间服务器同步。', '执行 sudo apt-get install chrony，或 `sudo timedatectl set-ntp true`。'],
	},
	no_rtc: {
		...{ check: 'clock', state: 'warning' },
		en: [
			'The machine has no real-time clock: after a power cut it does not know the time.',
			'Add an RTC with a battery, or be sure that the server or NTP is reachable at every start.',
		],
		zh: ['本机没有实时时钟（RTC）：断电后不知道时间。', '加装带电池的 RTC，或确保每次启动都能访问服务器或 NTP。'],
	},
	disk_ok: {
		...{ check: 'disk', state: 'ok' },
		en: ['The disk of {subject} is good: {freeMiB} MiB free, a durable write takes {p50Ms} ms (p99 {p99Ms} ms).'],
		zh: ['{subject} 所在磁盘正常：剩余 {freeMiB} MiB，持久写入 {p50Ms} 毫秒（p99 {p99Ms} 毫秒）。'],
	},
	disk_skipped: {
		...{ check: 'disk', state: 'skipped' },
		en: ['The speed of the disk was not measured: {why}.'],
		zh: ['未测量磁盘速度：{why}。'],
	},
	data_missing: {
		...{ check: 'disk', state: 'fault' },
		en: [
			'There is no data folder {subject}.',
			'Make it: `sudo install -d -o stileward -m 700 {subject}`; if it is a disk of its own, mount it.',
		],
		zh: ['没有数据目录 {subject}。', '创建：`sudo install -d -o stileward -m 700 {subject}`；若为独立磁盘，请先挂载。'],
	},
	disk_full: {
		...{ check: 'disk', state: 'fault' },
		en: [
			'The disk of {subject} is full: {freeMiB} of {sizeMiB} MiB free.',
			'Free some space (`sudo journalctl --vacuum-size=50M`, `sudo apt-get clean`); the lane opens again by itself.',
		],
		zh: [
			'{subject} 所在磁盘已满：{sizeMiB} MiB 中仅剩 {freeMiB} MiB。',
			'清理空间（`sudo journalctl --vacuum-size=50M`、`sudo apt-get clean`）；通道会自动恢复。',
		],
	},
	disk_low: {
		...{ check: 'disk', state: 'warning' },
		en: [
			'The disk of {subject} fills up: {freeMiB} of {sizeMiB} MiB free.',
			'Free some space before the next busy day.',
		],
		zh: ['{subject} 所在磁盘空间不足：{sizeMiB} MiB 中剩余 {freeMiB} MiB。', '请在下一个高峰日之前清理空间。'],
	},
	disk_no_inodes: {
		...{ check: 'disk', state: 'fault' },
		en: [
			'The file system of {subject} can hold no more files: {freeInodes} of {inodes} inodes free.',
			'Delete small files that nobody needs; df -i shows where.',
		],
		zh: [
			'{subject} 所在文件系统的 inode 已用尽：{inodes} 个中剩余 {freeInodes} 个。',
			'删除无用的小文件；用 df -i 查看。',
		],
	},
	disk_read_only: {
		...{ check: 'disk', state: 'fault' },
		en: [
			'The file system of {subject} is read-only ({mount}).',
			'After a disk error: check `dmesg`, replace the card. Otherwise: `sudo mount -o remount,rw {mount}`.',
		],
		zh: [
			'{subject} 所在文件系统为只读（{mount}）。',
			'若因磁盘错误：查看 `dmesg` 并更换存储卡。否则：`sudo mount -o remount,rw {mount}`。',
		],
	},
	disk_in_memory: {
		...{ check: 'disk', state: 'fault' },
		en: [
			'{subject} lies in memory ({type} at {mount}): after a power cut every used ticket would be good again.',
			'Put it on a disk or a partition of its own. With overlayroot: `overlayroot="tmpfs:recurse=0"`, and start the box anew.',
		],
		zh: [
			'{subject} 位于内存中（{mount}，{type}）：断电后，已用过的票会重新有效。',
			'请放到磁盘或独立分区。若使用 overlayroot：设为 `overlayroot="tmpfs:recurse=0"` 并重启主机。',
		],
	},
	disk_slow: {
		...{ check: 'disk', state: 'fault' },
		en: [
			'The disk of {subject} is too slow: a durable write takes {meanMs} ms on the average (p99 {p99Ms} ms); every visitor waits for one.',
			'Use an industrial SD card, an eMMC or an SSD; nothing else may write to it all the time.',
		],
		zh: [
			'{subject} 所在磁盘过慢：一次持久写入平均需 {meanMs} 毫秒（p99 {p99Ms} 毫秒），每位游客都要等待。',
			'使用工业级 SD 卡、eMMC 或 SSD；避免其他程序持续写入。',
		],
	},
	disk_uneven: {
		...{ check: 'disk', state: 'warning' },
		en: [
			'The disk of {subject} stalls now and then: p99 of a durable write is {p99Ms} ms (p50 {p50Ms} ms).',
			'Look what else writes to it; a worn card stalls like this.',
		],
		zh: [
			'{subject} 所在磁盘偶有卡顿：持久写入 p99 为 {p99Ms} 毫秒（p50 {p50Ms} 毫秒）。',
			'检查还有什么程序在写入；磨损的存储卡会如此。',
		],
	},
	card_worn: {
		...{ check: 'disk', state: 'warning' },
		en: [
			'The flash memory {subject} has used up about {percent} % of its life.',
			'Replace it soon; back up the ledger first (`stileward ledger backup`).',
		],
		zh: ['闪存 {subject} 的寿命已用去约 {percent}%。', '请尽快更换；先备份账本（`stileward ledger backup`）。'],
	},
	memory_ok: {
		...{ check: 'memory', state: 'ok' },
		en: ['{availableMiB} of {totalMiB} MiB of memory are available.'],
		zh: ['内存 {totalMiB} MiB 中可用 {availableMiB} MiB。'],
	},
	memory_skipped: {
		...{ check: 'memory', state: 'skipped' },
		en: ['Not looked at: {why}.'],
		zh: ['未检查：{why}。'],
	},
	memory_low: {
		...{ check: 'memory', state: 'warning' },
		en: [
			'Only {availableMiB} of {totalMiB} MiB of memory are available.',
			'Stop what a gate does not need, such as a desktop.',
		],
		zh: ['内存 {totalMiB} MiB 中仅剩 {availableMiB} MiB。', '停止闸机不需要的程序，例如桌面环境。'],
	},
	memory_short: {
		...{ check: 'memory', state: 'fault' },
		en: [
			'Memory is used up: {availableMiB} of {totalMiB} MiB are available; the kernel will end programs.',
			'Stop what a gate does not need (`top` shows it), then restart the gate.',
		],
		zh: [
			'内存耗尽：{totalMiB} MiB 中仅剩 {availableMiB} MiB，内核将终止程序。',
			'停止闸机不需要的程序（用 `top` 查看），然后重启闸机。',
		],
	},
} as const satisfies Record<string, FindingText>;
