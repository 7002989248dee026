import type { FindingText } from './finding-text.ts';

/** What is found of the gate itself: configuration, keys, ledger, program. */
export const gateTexts = {
	configuration_ok: {
		...{ check: 'configuration', state: 'ok' },
		en: ['The configuration is valid.'],
		zh: ['配置有效。'],
	},
	config_missing: {
		...{ check: 'configuration', state: 'fault' },
		en: ['There is no configuration {subject}.', 'Run `stileward setup`, or name the file with --config.'],
		zh: ['没有配置文件 {subject}。', '运行 `stileward setup`，或用 --config 指定文件。'],
	},
	config_unreadable: {
		...{ check: 'configuration', state: 'fault' },
		en: [
			'The configuration {subject} cannot be read ({error}).',
			'Run this with sudo, or correct owner and mode of the file.',
		],
		zh: ['无法读取配置文件 {subject}（{error}）。', '用 sudo 运行，或修正文件的属主和权限。'],
	},
	config_not_yaml: {
		...{ check: 'configuration', state: 'fault' },
		en: [
			'The configuration is not YAML: {problem}',
			'Correct the named line: often a missing space behind a colon, or a tab.',
		],
		zh: ['配置文件不是合法的 YAML：{problem}', '修正所指的行：常见原因是冒号后缺空格，或用了制表符。'],
	},
	config_invalid: {
		...{ check: 'configuration', state: 'fault' },
		en: [
			'The configuration is wrong: {problem}',
			'Correct it and run `stileward gate check-config --config {subject}`.',
		],
		zh: ['配置有误：{problem}', '修正后运行 `stileward gate check-config --config {subject}`。'],
	},
	not_enrolled: {
		...{ check: 'configuration', state: 'fault' },
		en: [
			'The gate belongs to no venue and has no {missing} of its own.',
			'Enroll it with `stileward setup` or `stileward gate enroll`, or give it a key folder and an event.',
		],
		zh: [
			'闸机尚未加入场馆，也没有自己的 {missing}。',
			'用 `stileward setup` 或 `stileward gate enroll` 登记，或为其配置密钥目录和活动。',
		],
	},
	pushed_config_refused: {
		...{ check: 'configuration', state: 'warning' },
		en: [
			'The configuration that the office pushed as version {version} was given up: {why}',
			'Correct it there (`stileward config push`); the gate goes on with the one before.',
		],
		zh: [
			'办公室推送的配置（版本 {version}）未被采用：{why}',
			'请在办公室修正后重新推送（`stileward config push`）；闸机继续使用之前的配置。',
		],
	},
	permissions_ok: {
		...{ check: 'permissions', state: 'ok' },
		en: ['The user {subject} may open every device and the data folder.'],
		zh: ['用户 {subject} 可以打开所有设备和数据目录。'],
	},
	permissions_skipped: {
		...{ check: 'permissions', state: 'skipped' },
		en: ['Not looked at: {why}.'],
		zh: ['未检查：{why}。'],
	},
	device_not_permitted: {
		...{ check: 'permissions', state: 'fault' },
		en: [
			'The user {user} may not open {path} of {subject} (mode {mode}, group {group}).',
			'sudo usermod -aG {group} {user}, then restart the gate. The Debian package brings udev rules that do this.',
		],
		zh: [
			'用户 {user} 无权打开 {subject} 的 {path}（权限 {mode}，组 {group}）。',
			'执行 sudo usermod -aG {group} {user}，然后重启闸机服务。Debian 软件包自带的 udev 规则会自动设置。',
		],
	},
	data_not_permitted: {
		...{ check: 'permissions', state: 'fault' },
		en: ['The user {user} may not write to the data folder {subject} (mode {mode}).', 'sudo chown -R {user} {subject}'],
		zh: ['用户 {user} 无权写入数据目录 {subject}（权限 {mode}）。', '执行 sudo chown -R {user} {subject}'],
	},
	config_not_permitted: {
		...{ check: 'permissions', state: 'fault' },
		en: [
			'The user {user} may not read {subject} (mode {mode}).',
			'sudo chgrp {user} {subject} && sudo chmod 640 {subject}',
		],
		zh: [
			'用户 {user} 无权读取 {subject}（权限 {mode}）。',
			'执行 sudo chgrp {user} {subject} && sudo chmod 640 {subject}',
		],
	},
	ledger_ok: {
		...{ check: 'ledger', state: 'ok' },
		en: ['The ledger is intact: {rows} rows.'],
		zh: ['账本完好，共 {rows} 行。'],
	},
	ledger_new: {
		...{ check: 'ledger', state: 'skipped' },
		en: ['There is no ledger yet; the first start makes it.'],
		zh: ['尚无账本，首次启动时创建。'],
	},
	ledger_unchecked: {
		...{ check: 'ledger', state: 'skipped' },
		en: ['The ledger was not looked at: {why}.'],
		zh: ['未检查账本：{why}。'],
	},
	ledger_damaged: {
		...{ check: 'ledger', state: 'fault' },
		en: [
			'The ledger is damaged: {problem}',
			'Restart the gate: it sets the file aside and asks the venue anew. Keep the file, then check the disk (`dmesg`).',
		],
		zh: ['账本损坏：{problem}', '重启闸机：它会把损坏的文件移开并从场馆重建。请保留该文件，并检查磁盘（`dmesg`）。'],
	},
	ledger_newer: {
		...{ check: 'ledger', state: 'fault' },
		en: [
			'The ledger was written by a newer version.',
			'Install that version or a newer one; a downgrade cannot read it.',
		],
		zh: ['账本由更新的版本写入。', '安装该版本或更新的版本；降级后无法读取。'],
	},
	ledger_failing: {
		...{ check: 'ledger', state: 'fault' },
		en: ['The ledger takes no writes ({problem}): the gate stays shut.', '{hint}'],
		zh: ['账本无法写入（{problem}）：闸机保持关闭。', '检查磁盘空间、目录权限和磁盘（`dmesg`）；写入成功后自动恢复。'],
	},
	ledger_set_aside: {
		...{ check: 'ledger', state: 'warning' },
		en: ['A damaged ledger was set aside: {file}.', 'Keep the file for examination, and check the disk (`dmesg`).'],
		zh: ['曾有损坏的账本被移开：{file}。', '保留该文件以备查，并检查磁盘（`dmesg`）。'],
	},
	keys_ok: {
		...{ check: 'keys', state: 'ok' },
		en: ['The keys are good: manifest version {version}.'],
		zh: ['密钥正常：清单版本 {version}。'],
	},
	keys_skipped: {
		...{ check: 'keys', state: 'skipped' },
		en: ['Not looked at: {why}.'],
		zh: ['未检查：{why}。'],
	},
	keys_missing: {
		...{ check: 'keys', state: 'fault' },
		en: [
			'Keys are missing: {problem}.',
			'Copy manifest.jws and root.public.jwk to {subject}; never the private files.',
		],
		zh: ['缺少密钥：{problem}。', '把 manifest.jws 和 root.public.jwk 复制到 {subject}；切勿复制私钥文件。'],
	},
	keys_invalid: {
		...{ check: 'keys', state: 'fault' },
		en: ['The keys cannot be used ({error}): {problem}', 'Fetch the newest manifest.jws of the venue again.'],
		zh: ['密钥无法使用（{error}）：{problem}', '重新获取场馆最新的 manifest.jws。'],
	},
	keys_expired: {
		...{ check: 'keys', state: 'fault' },
		en: [
			'The issuer key {kid} ended on {until}.',
			'Rotate the keys (`stileward keys rotate`) and bring the new manifest here.',
		],
		zh: ['签发密钥 {kid} 已于 {until} 到期。', '轮换密钥（`stileward keys rotate`），并把新清单拷到这里。'],
	},
	keys_expire_soon: {
		...{ check: 'keys', state: 'warning' },
		en: ['The issuer key {kid} ends on {until}.', 'Plan a rotation of the keys before that day.'],
		zh: ['签发密钥 {kid} 将于 {until} 到期。', '请在此之前安排密钥轮换。'],
	},
	keys_not_renewed: {
		...{ check: 'keys', state: 'warning' },
		en: ['A newer manifest is refused: {problem}', 'Fetch the manifest again; the keys in use stay until then.'],
		zh: ['较新的清单被拒绝：{problem}', '重新获取清单；在此之前继续使用现有密钥。'],
	},
	private_key_beside: {
		...{ check: 'keys', state: 'warning' },
		en: ['A private key lies on this gate: {problem}', 'Move it to where tickets are issued, and delete it here.'],
		zh: ['这台闸机上有私钥：{problem}', '把它移到签发门票的地方，并从这里删除。'],
	},
	key_readable: {
		...{ check: 'keys', state: 'fault' },
		en: [
			'Other users can read {subject} (mode {mode}): who copies it can pass as this gate.',
			'sudo chmod 600 {subject}; enroll the gate anew if strangers had access.',
		],
		zh: [
			'其他用户可以读取 {subject}（权限 {mode}）：复制它的人可冒充此闸机。',
			'执行 sudo chmod 600 {subject}；如外人接触过，请重新登记闸机。',
		],
	},
	service_ok: {
		...{ check: 'service', state: 'ok' },
		en: ['The gate runs (process {pid}).'],
		zh: ['闸机程序正在运行（进程 {pid}）。'],
	},
	gate_stopped: {
		...{ check: 'service', state: 'warning' },
		en: ['The gate does not run.', 'Start it: `sudo systemctl start stileward-gate`, or `stileward gate run`.'],
		zh: ['闸机程序未运行。', '启动：`sudo systemctl start stileward-gate`，或 `stileward gate run`。'],
	},
	service_missing: {
		...{ check: 'service', state: 'warning' },
		en: [
			'There is no unit stileward-gate.service: the gate will not start after a power cut.',
			'Install the Debian package.',
		],
		zh: ['没有 stileward-gate.service 服务：断电后闸机不会自动启动。', '安装 Debian 软件包。'],
	},
	service_disabled: {
		...{ check: 'service', state: 'warning' },
		en: ['The unit is not enabled: the gate will not start after a power cut.', 'sudo systemctl enable stileward-gate'],
		zh: ['服务未设为开机启动：断电后闸机不会自动启动。', '执行 sudo systemctl enable stileward-gate'],
	},
	service_failed: {
		...{ check: 'service', state: 'fault' },
		en: [
			'The service failed ({result}).',
			'See why: `journalctl -u stileward-gate -n 50`; correct it, then `sudo systemctl restart stileward-gate`.',
		],
		zh: [
			'服务已失败（{result}）。',
			'查看原因：`journalctl -u stileward-gate -n 50`；修正后执行 `sudo systemctl restart stileward-gate`。',
		],
	},
	service_stopped: {
		...{ check: 'service', state: 'fault' },
		en: ['The service is stopped.', 'sudo systemctl start stileward-gate'],
		zh: ['服务已停止。', '执行 sudo systemctl start stileward-gate'],
	},
	service_restarting: {
		...{ check: 'service', state: 'warning' },
		en: [
			'The service was restarted {restarts} times by itself.',
			'See why: `journalctl -u stileward-gate -p err -n 50`.',
		],
		zh: ['服务已自动重启 {restarts} 次。', '查看原因：`journalctl -u stileward-gate -p err -n 50`。'],
	},
	watchdog_off: {
		...{ check: 'service', state: 'warning' },
		en: ['The unit has no watchdog: a gate that hangs is not restarted.', 'Install the unit of the Debian package.'],
		zh: ['服务没有看门狗：程序卡死时不会自动重启。', '使用 Debian 软件包自带的服务文件。'],
	},
	agent_silent: {
		...{ check: 'service', state: 'fault' },
		en: [
			'The gate runs (process {pid}), but {url} does not answer.',
			'Restart it: `sudo systemctl restart stileward-gate`. If this repeats, make a bundle and report it.',
		],
		zh: [
			'闸机程序在运行（进程 {pid}），但 {url} 无响应。',
			'重启：`sudo systemctl restart stileward-gate`。若反复出现，请生成支持包并上报。',
		],
	},
	http_taken: {
		...{ check: 'service', state: 'fault' },
		en: [
			'Another program answers at {url}: screens and health of the gate cannot be served.',
			'Stop it, or set another `http.port`.',
		],
		zh: ['{url} 被其他程序占用：无法提供闸机的屏幕和状态。', '停止该程序，或更改 `http.port`。'],
	},
	version_ok: {
		...{ check: 'version', state: 'ok' },
		en: ['Stileward {version}, Node {node}.'],
		zh: ['程序版本：Stileward {version}，Node {node}。'],
	},
	version_not_restarted: {
		...{ check: 'version', state: 'warning' },
		en: [
			'Version {version} is installed, {running} still runs.',
			'Restart the gate when no visitors wait: `sudo systemctl restart stileward-gate`.',
		],
		zh: [
			'已安装版本 {version}，但运行中的是 {running}。',
			'在无人排队时重启：`sudo systemctl restart stileward-gate`。',
		],
	},
	check_failed: {
		...{ check: 'doctor', state: 'warning' },
		en: ['The check {subject} could not be made: {problem}', 'Run it with sudo; if it stays, report it with a bundle.'],
		zh: ['检查项 {subject} 无法完成：{problem}', '用 sudo 运行；若仍失败，请附支持包上报。'],
	},
} as const satisfies Record<string, FindingText>;
