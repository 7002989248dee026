import type { FindingText } from './finding-text.ts';

/** What is found of the venue's server and of how the gate stands with it. */
export const venueTexts = {
	server_ok: {
		...{ check: 'server', state: 'ok' },
		en: ['The server {subject} is the pinned one and knows this gate.'],
		zh: ['服务器 {subject} 与登记的一致，并认识本闸机。'],
	},
	server_skipped: {
		...{ check: 'server', state: 'skipped' },
		en: ['Not looked at: {why}.'],
		zh: ['未检查：{why}。'],
	},
	dns_failed: {
		...{ check: 'server', state: 'fault' },
		en: [
			'The name {host} cannot be resolved ({error}); name servers: {nameservers}.',
			'Check the network cable and DNS (`resolvectl status`), or give the server a fixed address.',
		],
		zh: [
			'无法解析域名 {host}（{error}）；DNS 服务器：{nameservers}。',
			'检查网线和 DNS（`resolvectl status`），或为服务器使用固定地址。',
		],
	},
	server_unreachable: {
		...{ check: 'server', state: 'fault' },
		en: [
			'{subject} cannot be reached ({error}).',
			'Check cable, switch and firewall, and that the server runs. The lanes go by their class policy meanwhile.',
		],
		zh: ['无法连接 {subject}（{error}）。', '检查网线、交换机和防火墙，并确认服务器在运行。期间各通道按票种策略放行。'],
	},
	server_no_tls: {
		...{ check: 'server', state: 'fault' },
		en: ['{subject} does not speak TLS ({error}).', 'Another program listens at this port: check address and port.'],
		zh: ['{subject} 不支持 TLS（{error}）。', '该端口上是其他程序：请检查地址和端口。'],
	},
	server_pin_wrong: {
		...{ check: 'server', state: 'fault' },
		en: [
			'{subject} is not the server that this gate was enrolled at: its certificate has another key.',
			'Check the address. If the server was made anew, enroll the gate again; if not, somebody stands in between.',
		],
		zh: [
			'{subject} 不是本闸机登记的服务器：证书密钥不符。',
			'检查地址。若服务器已重建，请重新登记闸机；否则可能有人在中间冒充。',
		],
	},
	certificate_expired: {
		...{ check: 'server', state: 'fault' },
		en: [
			'The certificate of {subject} ended on {until}.',
			'Restart the server, which renews its own certificate, or install a new one. If the date is right, look at the clock of this gate.',
		],
		zh: ['{subject} 的证书已于 {until} 到期。', '重启服务器以自动续期，或安装新证书。若日期无误，请检查本机时钟。'],
	},
	certificate_not_yet_valid: {
		...{ check: 'server', state: 'fault' },
		en: [
			'The certificate of {subject} is valid from {from} on only.',
			'Look at the clocks of this gate and of the server.',
		],
		zh: ['{subject} 的证书自 {from} 起才有效。', '检查本机和服务器的时钟。'],
	},
	certificate_other_host: {
		...{ check: 'server', state: 'fault' },
		en: [
			'The certificate of {subject} is for {names}.',
			'Start the server with `--name` for this address, or let the gate ask another: `stileward gate point`.',
		],
		zh: [
			'{subject} 的证书属于 {names}。',
			'启动服务器时用 `--name` 加上此地址，或让闸机改用其他地址：`stileward gate point`。',
		],
	},
	certificate_ends_soon: {
		...{ check: 'server', state: 'warning' },
		en: [
			'The certificate of {subject} ends on {until}.',
			'The server renews its own; restart it. An operator’s own must be replaced.',
		],
		zh: ['{subject} 的证书将于 {until} 到期。', '服务器会自动续期，请重启它；自备证书需要更换。'],
	},
	captive_portal: {
		...{ check: 'server', state: 'fault' },
		en: [
			'A login page (status {status}) answers in the place of {subject}.',
			'This network wants a sign-in: use the venue’s own network or a cable, or have this gate excepted.',
		],
		zh: [
			'应答 {subject} 的是网络登录页面（状态 {status}）。',
			'此网络需要认证：请改用场馆内网或网线，或把本机加入白名单。',
		],
	},
	server_answer_wrong: {
		...{ check: 'server', state: 'fault' },
		en: [
			'{subject} answers in a wrong way: {problem}',
			'A proxy changes its answers, or it is another program: check both.',
		],
		zh: ['{subject} 的应答有误：{problem}', '可能是代理改动了应答，或是其他程序：请检查。'],
	},
	server_failing: {
		...{ check: 'server', state: 'fault' },
		en: [
			'The server {subject} says that it does not work: {problem}.',
			'The operator of the server must look at its log.',
		],
		zh: ['服务器 {subject} 报告自身异常：{problem}。', '请服务器管理员查看日志。'],
	},
	hub_not_granting: {
		...{ check: 'server', state: 'fault' },
		en: [
			'The server {subject} grants nothing ({problem}).',
			'The operator looks at `stileward authority show`; a hub must reach its centre, or be given the authority.',
		],
		zh: [
			'服务器 {subject} 不签发放行（{problem}）。',
			'管理员运行 `stileward authority show`；场馆服务器须能连到中心，或被授予权限。',
		],
	},
	device_disabled: {
		...{ check: 'server', state: 'fault' },
		en: [
			'The office has disabled this gate: it admits nobody.',
			'Ask an administrator: `stileward device enable`, or a new enrollment.',
		],
		zh: ['办公室已停用本闸机：不放行任何人。', '联系管理员：`stileward device enable`，或重新登记。'],
	},
	device_unknown: {
		...{ check: 'server', state: 'fault' },
		en: [
			'The server {subject} does not know this gate.',
			'Enroll it with a new code: `stileward gate enroll --replace`.',
		],
		zh: ['服务器 {subject} 不认识本闸机。', '用新登记码重新登记：`stileward gate enroll --replace`。'],
	},
	device_refused: {
		...{ check: 'server', state: 'fault' },
		en: ['The server {subject} refuses this gate ({problem}).', '{hint}'],
		zh: ['服务器 {subject} 拒绝了本闸机（{problem}）。', '联系管理员，必要时用新登记码重新登记。'],
	},
	enroll_code_used: {
		...{ check: 'server', state: 'fault' },
		en: [
			'The enrollment code is used already, ended, or never was one.',
			'Ask an administrator for a new one (`stileward device code`); it is good once, for 15 minutes.',
		],
		zh: [
			'登记码已被使用、已过期或不存在。',
			'请管理员生成新的登记码（`stileward device code`）；只能用一次，15 分钟内有效。',
		],
	},
	venue_ok: {
		...{ check: 'venue', state: 'ok' },
		en: ['The gate follows its venue; lists are {ageSeconds} s old, {waiting} rows wait.'],
		zh: ['闸机与场馆同步正常；名单 {ageSeconds} 秒前更新，{waiting} 行待上传。'],
	},
	venue_skipped: {
		...{ check: 'venue', state: 'skipped' },
		en: ['Not looked at: {why}.'],
		zh: ['未检查：{why}。'],
	},
	venue_offline: {
		...{ check: 'venue', state: 'warning' },
		en: [
			'The gate does not follow its server ({problem}): each class goes its own way.',
			'See what the check `server` says; `unverified` admissions are counted.',
		],
		zh: ['闸机未与服务器同步（{problem}）：各票种按离线策略处理。', '参见“服务器”检查项；未经验证的放行会被计数。'],
	},
	authority_unreachable: {
		...{ check: 'venue', state: 'warning' },
		en: [
			'Claims of this gate are not answered ({authority}).',
			'The hub or the centre does not grant: see the check `server`, and `stileward authority show`.',
		],
		zh: [
			'本闸机的核销请求得不到应答（{authority}）。',
			'场馆服务器或中心未授权：参见“服务器”检查项和 `stileward authority show`。',
		],
	},
	device_quarantined: {
		...{ check: 'venue', state: 'fault' },
		en: [
			'The venue has quarantined this gate: its journal forked. Its disk was copied to another box, or an old copy came back.',
			'Find the other box and switch it off; then enroll this one anew with a new code (`stileward gate enroll --replace`).',
		],
		zh: [
			'场馆已隔离本闸机：日志出现分叉。磁盘被复制到了另一台主机，或恢复了旧副本。',
			'找到并关闭另一台主机；然后用新登记码重新登记本机（`stileward gate enroll --replace`）。',
		],
	},
	lists_stale: {
		...{ check: 'venue', state: 'fault' },
		en: [
			'The lists of refunded and used tickets are {ageSeconds} s old, older than an event allows.',
			'Bring the network back: see the check `server`.',
		],
		zh: ['退票和已用票名单已有 {ageSeconds} 秒未更新，超出活动允许的时间。', '恢复网络：参见“服务器”检查项。'],
	},
	queue_long: {
		...{ check: 'venue', state: 'warning' },
		en: [
			'{waiting} journal rows wait to be sent.',
			'The line is slow or was down; if it does not shrink, look at the check `server`.',
		],
		zh: ['有 {waiting} 行日志等待上传。', '线路缓慢或曾中断；若不减少，参见“服务器”检查项。'],
	},
} as const satisfies Record<string, FindingText>;
