import { createInterface } from 'node:readline';
import type { Language } from '../../gate-agent/checks/finding.ts';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { Asked, Interview } from './interview.ts';
import { setupWords } from './setup-words.ts';

/** Where an interview reads and writes. */
export interface InterviewStreams {
	readonly input: NodeJS.ReadableStream;
	readonly output: NodeJS.WritableStream;
	readonly language: Language;
	/** Aborted once the person gives up with Ctrl+C or Ctrl+D. */
	readonly onEnd: () => void;
}

const yes = /^(y|yes|是|开|对|好)/i;
const no = /^(n|no|否|不|没)/i;

/** Asks a person at a terminal. */
export function openTerminalInterview({ input, output, language, onEnd }: InterviewStreams): Interview {
	const words = setupWords[language];
	const reader = createInterface({ input, output });
	const asked: Asked[] = [];
	const typed = lineQueue();
	let isClosed = false;
	const giveUp = () => {
		if (isClosed) return;
		isClosed = true;
		typed.end();
		reader.close();
		onEnd();
	};
	reader.on('line', typed.push);
	reader.on('SIGINT', giveUp);
	reader.on('close', giveUp);

	const prompt = (question: string) => {
		reader.setPrompt(`${question} `);
		reader.prompt();
	};
	const note = (question: string, answer: string, by: Asked['by'] = 'typed') => {
		asked.push({ question, answer, by });
	};
	const line = async (question: string): Promise<string> => {
		prompt(question);
		return (await typed.next()).trim();
	};
	const voice: Voice = { words, output, typed, prompt, note, line };
	return {
		asked,
		say: (text) => void output.write(`${text}\n`),
		...questionsOf(voice),
		act: (question, happened) => actOrLine(voice, question, happened),
		close() {
			isClosed = true;
			typed.end();
			reader.close();
		},
	};
}

/** What questions are made of. */
interface Voice {
	readonly words: Readonly<Record<keyof (typeof setupWords)['zh'], string>>;
	readonly output: NodeJS.WritableStream;
	readonly typed: ReturnType<typeof lineQueue>;
	prompt(question: string): void;
	note(question: string, answer: string, by?: Asked['by']): void;
	/** Asks and gives the line that was typed, without blanks around it. */
	line(question: string): Promise<string>;
}

function questionsOf({ words, note, line }: Voice): Pick<Interview, 'choose' | 'ask' | 'confirm'> {
	return {
		async choose(question, choices) {
			const list = choices.map(({ label }, index) => `  ${index + 1}  ${label}`).join('\n');
			for (;;) {
				const answer = await line(`${question}\n${list}\n${words.number}`);
				const choice = choices[Number(answer) - 1];
				if (choice === undefined) continue;
				note(question, choice.label);
				return choice.value;
			}
		},
		async ask(question, fallback) {
			for (;;) {
				const answer = (await line(fallback === undefined ? question : `${question} [${fallback}]`)) || fallback;
				if (answer === undefined || answer === '') continue;
				note(question, answer);
				return answer;
			}
		},
		async confirm(question, fallback) {
			const keys = fallback === undefined ? '[y/n]' : fallback ? '[Y/n]' : '[y/N]';
			for (;;) {
				const answer = await line(`${question} ${keys}`);
				const value = yes.test(answer) ? true : no.test(answer) ? false : answer === '' ? fallback : undefined;
				if (value === undefined) continue;
				note(question, value ? words.yes : words.no);
				return value;
			}
		},
	};
}

async function actOrLine<T>({ words, output, typed, prompt, note }: Voice, question: string, happened: Promise<T>) {
	prompt(question);
	const wish = typed.wait();
	const first = await Promise.race([
		happened.then((acted) => ({ acted })),
		wish.line.then((text) => ({ typed: text.trim() })),
	]);
	wish.withdraw();
	const hasActed = 'acted' in first;
	note(question, hasActed ? words.seen : first.typed || words.skipped, hasActed ? 'acted' : 'typed');
	if (hasActed) output.write('\n');
	return first;
}

/** Lines in their order, whoever is first: the line or the question. */
function lineQueue() {
	const lines: string[] = [];
	const waiting: { readonly resolve: (line: string) => void; readonly reject: (error: Error) => void }[] = [];
	let hasEnded = false;
	const ended = () => new StilewardError('setup_ended', 'the assistant was ended');
	const wait = () => {
		const wish = Promise.withResolvers<string>();
		wish.promise.catch(() => {});
		const line = lines.shift();
		if (line !== undefined) wish.resolve(line);
		else if (hasEnded) wish.reject(ended());
		else waiting.push(wish);
		const withdraw = () => {
			const at = waiting.indexOf(wish);
			if (at >= 0) waiting.splice(at, 1);
		};
		return { line: wish.promise, withdraw };
	};
	return {
		wait,
		next: () => wait().line,
		push(line: string) {
			const wish = waiting.shift();
			if (wish) wish.resolve(line);
			else lines.push(line);
		},
		end() {
			hasEnded = true;
			for (const wish of waiting.splice(0)) wish.reject(ended());
		},
	};
}
