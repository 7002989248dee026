/** Why something was not looked at, or is taken for what it is, as `why` of an evidence says it. */
export const reasonTexts = {
	not_running: { en: 'the gate does not run; --devices asks them', zh: '闸机程序未运行；加 --devices 可打开设备询问' },
	agent_silent: { en: 'the running gate does not answer', zh: '运行中的闸机程序无响应' },
	gate_stopped: { en: 'the gate does not run', zh: '闸机程序未运行' },
	other_configuration: { en: 'the running gate has another configuration', zh: '运行中的闸机使用另一份配置' },
	asks_nothing: { en: 'it answers no questions', zh: '该设备不支持询问' },
	no_configuration: { en: 'there is no valid configuration', zh: '没有有效的配置' },
	not_enrolled: { en: 'the gate is not enrolled', zh: '闸机尚未登记' },
	enrollment_hidden: {
		en: 'this user may not read the enrollment: run it with sudo',
		zh: '当前用户无权读取登记信息：请用 sudo 运行',
	},
	venue_gives_keys: { en: 'the venue gives them, and the gate does not run', zh: '密钥由场馆下发，而闸机程序未运行' },
	no_key_folder: { en: 'there is no key folder', zh: '没有密钥目录' },
	kernel_silent: { en: 'the kernel does not tell', zh: '内核未提供' },
	both_active: { en: 'both are active at rest', zh: '静止时两者都处于动作状态' },
	alarm_moves: { en: 'the fire contact moves, the sensor never does', zh: '消防触点在动，通行传感器从不动作' },
} as const;
