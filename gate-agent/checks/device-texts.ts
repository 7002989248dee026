import type { FindingText } from './finding-text.ts';

/** What is found of scanners, boards and contacts. */
export const deviceTexts = {
	devices_ok: {
		...{ check: 'devices', state: 'ok' },
		en: ['Every device of the configuration is plugged in.'],
		zh: ['配置中的设备均已插好。'],
	},
	device_absent: {
		...{ check: 'devices', state: 'fault' },
		en: ['{subject} is not there: {path}.', 'Plug it in, or correct its path. Plugged in are: {plugged}.'],
		zh: ['找不到 {subject}：{path}。', '请插好设备，或修正路径。当前已插入：{plugged}。'],
	},
	device_not_a_port: {
		...{ check: 'devices', state: 'fault' },
		en: ['{path} of {subject} is no device.', 'Correct its path. Plugged in are: {plugged}.'],
		zh: ['{subject} 的 {path} 不是设备。', '请修正路径。当前已插入：{plugged}。'],
	},
	device_ambiguous: {
		...{ check: 'devices', state: 'fault' },
		en: ['{count} devices could be {subject}.', 'Name its `serial` or `port`: {plugged}.'],
		zh: ['有 {count} 个设备都可能是 {subject}。', '请写明 `serial` 或 `port`：{plugged}。'],
	},
	device_other_model: {
		...{ check: 'devices', state: 'fault' },
		en: [
			'At {path} of {subject} there is a {model}, which the driver {driver} does not speak to.',
			'The paths are probably exchanged: give {subject} its own. Plugged in are: {plugged}.',
		],
		zh: [
			'{subject} 的 {path} 上接的是 {model}，驱动 {driver} 不支持它。',
			'端口可能接反或填错：请为 {subject} 填写正确路径。当前已插入：{plugged}。',
		],
	},
	scanner_types: {
		...{ check: 'devices', state: 'fault' },
		en: [
			'The scanner {name} is in keyboard mode ({path}), and {subject} waits for {driver}.',
			'Scan the setup code "USB virtual COM" (for hid-pos: "HID POS") of its manual, then unplug and plug it in again.',
		],
		zh: [
			'扫码器 {name} 处于键盘模式（{path}），而 {subject} 使用 {driver}。',
			'扫描说明书中的“USB 虚拟串口”（hid-pos 则为“HID POS”）设置码，然后重新插拔。',
		],
	},
	name_not_lasting: {
		...{ check: 'devices', state: 'warning' },
		en: ['{path} of {subject} changes with the order of plugging in.', 'Write {lasting} in its place.'],
		zh: ['{subject} 的 {path} 会随插拔顺序改变。', '请改写为 {lasting}。'],
	},
	ports_ok: {
		...{ check: 'ports', state: 'ok' },
		en: ['No other program holds a device of this gate.'],
		zh: ['没有其他程序占用本机设备。'],
	},
	port_held: {
		...{ check: 'ports', state: 'fault' },
		en: [
			'Another program, {program} (process {pid}), holds {path} of {subject}.',
			'Stop it: `sudo kill {pid}`; ModemManager and brltty: `sudo apt-get remove modemmanager brltty`.',
		],
		zh: [
			'另一程序 {program}（进程 {pid}）占用了 {subject} 的 {path}。',
			'停止它：`sudo kill {pid}`；若是 ModemManager 或 brltty：`sudo apt-get remove modemmanager brltty`。',
		],
	},
	port_daemon: {
		...{ check: 'ports', state: 'warning' },
		en: [
			'{program} runs, which opens every new serial port.',
			'sudo apt-get remove {package}, or install the udev rules of the Debian package.',
		],
		zh: [
			'{program} 正在运行，它会抢占每个新串口。',
			'执行 sudo apt-get remove {package}，或安装软件包自带的 udev 规则。',
		],
	},
	scanner_ok: {
		...{ check: 'scanner', state: 'ok' },
		en: ['{subject} is open.'],
		zh: ['{subject} 已打开。'],
	},
	scanner_skipped: {
		...{ check: 'scanner', state: 'skipped' },
		en: ['{subject} was not asked: {why}.'],
		zh: ['未询问 {subject}：{why}。'],
	},
	scanner_unreadable: {
		...{ check: 'scanner', state: 'fault' },
		en: [
			'{unreadable} of {scans} scans of {subject} were unreadable: its speed is not the {baudRate} baud of the configuration, or its suffix is another.',
			'Try `baudRate: 115200` and `9600`; check the suffix with `stileward devices test scanner`.',
		],
		zh: [
			'{subject} 的 {scans} 次扫码中有 {unreadable} 次无法识别：实际波特率可能不是配置的 {baudRate}，或后缀不符。',
			'尝试 `baudRate: 115200` 或 `9600`；用 `stileward devices test scanner` 检查后缀。',
		],
	},
	scanner_other_baud: {
		...{ check: 'scanner', state: 'fault' },
		en: [
			'The module of {subject} speaks at {answers} baud, the configuration says {baudRate}.',
			'Use `model: grow-gm65`, which finds the speed itself, or write `baudRate: {answers}`.',
		],
		zh: [
			'{subject} 的模组波特率为 {answers}，而配置为 {baudRate}。',
			'使用 `model: grow-gm65`（自动探测），或写 `baudRate: {answers}`。',
		],
	},
	scanner_silent: {
		...{ check: 'scanner', state: 'fault' },
		en: [
			'{subject} is plugged in but does not answer.',
			'Check its power and that RX is wired; unplug it and plug it in again.',
		],
		zh: ['{subject} 已插入但无应答。', '检查供电和 RX 接线；重新插拔。'],
	},
	relay_ok: {
		...{ check: 'relay', state: 'ok' },
		en: ['{subject} answers.'],
		zh: ['{subject} 应答正常。'],
	},
	relay_skipped: {
		...{ check: 'relay', state: 'skipped' },
		en: ['{subject} was not asked: {why}.'],
		zh: ['未询问 {subject}：{why}。'],
	},
	relay_silent: {
		...{ check: 'relay', state: 'fault' },
		en: [
			'{subject} does not answer: it has no power, or its line is broken.',
			'Check the supply of the board (its lamp), the wires A and B, its address and its speed.',
		],
		zh: ['{subject} 无应答：未供电，或线路中断。', '检查继电器板供电（指示灯）、A/B 接线、地址和波特率。'],
	},
	relay_other_baud: {
		...{ check: 'relay', state: 'fault' },
		en: [
			'The board of {subject} speaks at {answers} baud, the configuration says {baudRate}.',
			'Write `baudRate: {answers}` for it, and for the inputs on the same bus.',
		],
		zh: [
			'{subject} 的波特率为 {answers}，而配置为 {baudRate}。',
			'把它（及同一总线上的输入）的 `baudRate` 改为 {answers}。',
		],
	},
	relay_protocol: {
		...{ check: 'relay', state: 'fault' },
		en: ['{subject} answers in another language: {problem}', 'Check model and address of the board.'],
		zh: ['{subject} 的应答不符合协议：{problem}', '检查型号和地址。'],
	},
	relay_failed: {
		...{ check: 'relay', state: 'fault' },
		en: [
			'The relay of {subject} did not do what it was told.',
			'Try it with `stileward devices test relay`; a coil that does not follow is worn out: replace the board.',
		],
		zh: ['{subject} 的继电器未按命令动作。', '用 `stileward devices test relay` 测试；不动作说明继电器已坏，请更换。'],
	},
	pulse_by_host: {
		...{ check: 'relay', state: 'warning' },
		en: [
			'This computer ends the pulses of {subject}, not the board.',
			'Set the turnstile to pulse mode, so that a coil that stays closed opens for one visitor only.',
		],
		zh: ['{subject} 的脉冲由本机而非继电器板结束。', '请将闸机设为脉冲模式，即使继电器卡住也只放行一人。'],
	},
	inputs_ok: {
		...{ check: 'inputs', state: 'ok' },
		en: ['The contacts of {subject} can be read and are at rest.'],
		zh: ['{subject} 的触点可读且处于静止状态。'],
	},
	inputs_skipped: {
		...{ check: 'inputs', state: 'skipped' },
		en: ['{subject} was not asked: {why}.'],
		zh: ['未询问 {subject}：{why}。'],
	},
	inputs_silent: {
		...{ check: 'inputs', state: 'fault' },
		en: ['The contacts of {subject} cannot be read.', 'Check power, address and speed of the board.'],
		zh: ['无法读取 {subject} 的触点。', '检查继电器板的供电、地址和波特率。'],
	},
	fire_active: {
		...{ check: 'inputs', state: 'fault' },
		en: [
			'The fire contact of {subject} is active.',
			'If there is no alarm: the wire is broken, or the contact is a closing one and `invert` is wrong. Then reset the lane.',
		],
		zh: [
			'{subject} 的消防触点处于报警状态。',
			'若无火警：线路断开，或常开/常闭与 `invert` 设置不符。修正后在现场复位。',
		],
	},
	passage_stuck: {
		...{ check: 'inputs', state: 'fault' },
		en: [
			'The passage contact of {subject} is active though nobody passes.',
			'Something stands in the way, the contact is stuck, or `invert` is wrong.',
		],
		zh: ['无人通过，但 {subject} 的通行触点一直动作。', '检查是否有遮挡、触点卡住，或 `invert` 设置不符。'],
	},
	inputs_swapped: {
		...{ check: 'inputs', state: 'fault' },
		en: [
			'Fire and passage of {subject} look exchanged ({why}).',
			'Exchange their `channel` (or the wires), then work each one with `stileward devices test inputs`.',
		],
		zh: [
			'{subject} 的消防与通行触点似乎接反（{why}）。',
			'对调两者的 `channel`（或接线），再用 `stileward devices test inputs` 逐一动作确认。',
		],
	},
	sensor_dead: {
		...{ check: 'inputs', state: 'fault' },
		en: [
			'The lane {subject} saw no passage after several openings: its sensor is dead.',
			'Check the passage contact, its wire and its channel.',
		],
		zh: ['{subject} 多次开闸后均未检测到通行：传感器失效。', '检查通行触点、接线和通道号。'],
	},
	tamper_active: {
		...{ check: 'inputs', state: 'warning' },
		en: ['The tamper contact of {subject} is active.', 'Close the lid, or correct `invert`.'],
		zh: ['{subject} 的防拆触点处于动作状态。', '关好机盖，或修正 `invert`。'],
	},
} as const satisfies Record<string, FindingText>;
