const nodeFlags = ['--max-semi-space-size=1', '--max-old-space-size=64', '--disable-warning=ExperimentalWarning'];

/** The one right that raw HCI commands need (Linux, net/bluetooth/hci_sock.c, `hci_sock_sendmsg`). */
const right = 'net_raw';

/** setpriv of util-linux: an execution begins with these rights alone and can never get others. */
const onlyRight = [
	...['--bounding-set', `-all,+${right}`, '--inh-caps', `-all,+${right}`, '--ambient-caps', `-all,+${right}`],
	...['--no-new-privs', '--'],
];

/**
 * What the radio's process is started with. A process of root would have every right: it is started through setpriv, which
 * leaves it one. Another one has what its file or its service has given it.
 */
export function radioCommand(
	node: string,
	isRoot: boolean,
): { readonly execPath: string; readonly execArgv: string[] } {
	if (!isRoot) return { execPath: node, execArgv: nodeFlags };
	return { execPath: 'setpriv', execArgv: [...onlyRight, node, ...nodeFlags] };
}
