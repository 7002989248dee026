import { parseArgs } from 'node:util';
import { StilewardError } from '../gate-agent/core/errors.ts';
import { describeFailure } from './commands/exit.ts';

const defaultPort = 8420;

const help = `npm start                       a practice venue on this machine: a server, two gates, no hardware, one page
npm start -- --config FILE      the real lane of a configuration, like \`stileward gate run\`
npm start -- --port 9000        the practice page on another port

  --set PATH=VALUE   override one setting of the configuration (repeatable)
  --port NUMBER      port of the practice page (default ${defaultPort}, or a free one)
  --dir DIR          server, gates and logs of the practice (default ./var/start)
  --help             this

Ctrl-C ends it. The next start goes on in the same folder: orders and used tickets stay; delete ./var to begin anew.
Exit codes: 0 ended, 1 something outside the program is wrong, 2 wrong command line, 70 a bug.
`;

interface StartOptions {
	readonly config: string | undefined;
	readonly set: readonly string[];
	readonly port: number | undefined;
	readonly dir: string;
}

function readOptions(args: readonly string[]): StartOptions | 'help' {
	const values = parse(args);
	if (values.help) return 'help';
	const port = values.port === undefined ? undefined : Number(values.port);
	if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
		throw new StilewardError('usage', `--port is a number from 0 to 65535, not ${values.port}`);
	}
	return { config: values.config, set: values.set ?? [], port, dir: values.dir };
}

function parse(args: readonly string[]) {
	const options = {
		config: { type: 'string' },
		set: { type: 'string', multiple: true },
		port: { type: 'string' },
		dir: { type: 'string', default: 'var/start' },
		help: { type: 'boolean', short: 'h' },
	} as const;
	try {
		return parseArgs({ args: [...args], options }).values;
	} catch (cause) {
		// Node's parser says well what is wrong, in English sentences.
		throw new StilewardError('usage', String((cause as Error).message), { cause });
	}
}

async function main(): Promise<void> {
	const options = readOptions(process.argv.slice(2));
	if (options === 'help') {
		process.stdout.write(help);
		return;
	}
	if (options.config !== undefined) {
		const { runGate } = await import('../gate-agent/main.ts');
		return runGate({ configFile: options.config, sets: options.set });
	}
	const { runPractice } = await import('./start/practice.ts');
	return runPractice({ dir: options.dir, port: options.port ?? defaultPort, freePort: options.port === undefined });
}

try {
	await main();
} catch (error) {
	const { text, code } = describeFailure(error);
	process.stderr.write(text);
	process.exit(code);
}
